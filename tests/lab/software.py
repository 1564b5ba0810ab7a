#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people run, as Debian packages it, unmodified: it starts and answers in machines.

Under netlab's own kernel if there is one, and under the packaged kernel too; the
topologies are those of topologies/, which a user starts by hand."""
import os
import sys

import harness
from harness import check, equal, wait_for


def etcd(lab):
    lab.exec("e1", "etcdctl put colour green")
    equal(lab.exec("e3", "etcdctl get colour --print-value-only").strip(), "green", "etcd")
    members = lab.exec("e2", "etcdctl member list").splitlines()
    equal(len([m for m in members if ", started," in m]), 3, "members")
    status = lab.exec("e1", "etcdctl endpoint status --cluster").splitlines()
    equal(len([s for s in status if ", true, " in s]), 1, f"leaders in {status}")


def redis(lab):
    equal(lab.exec("n1", "redis-cli set colour green").strip(), "OK", "set")
    # Replicas follow, each in its time.
    for node, host in (("n3", "localhost"), ("c1", "n2")):
        wait_for(lambda: lab.exec(node, f"redis-cli -h {host} get colour").strip() == "green",
                 f"the replica to have it, asked from {node}")


def postgres(lab):
    def query(text):
        return lab.netlab("exec", "client", "--", "psql", "-h", "db", "-U", "postgres",
                          "-At", input=text).stdout.strip()

    query("create table t as select n, md5(n::text) m from generate_series(1, 20000) n;"
          "create index on t (m);")
    equal(query("select n from t where m = md5('12345');"), "12345", "an indexed row")
    equal(query("begin; delete from t; rollback; select count(*) from t;").split()[-1],
          "20000", "rows after a rollback")


def ospf(lab):
    routers = ("r1", "r2", "r3")
    for router in routers:
        said = lab.exec(router, "vtysh -c 'show ip ospf neighbor'")
        equal(said.count("Full/"), 2, f"neighbours of {router}: {said}")

    def all_reach():
        return all(lab.reaches("r1", [f"10.255.0.{n}"], wait=1) for n in (2, 3))
    wait_for(all_reach, "routes to the others", timeout=30)
    lab.netlab("fault", "set", "r1--r3", "down=true")
    wait_for(lambda: "10.255.0.3" in lab.reaches("r1", ["10.255.0.3"], wait=1),
             "the way round by r2", timeout=40)
    check("10.128.0.2" in lab.exec("r1", "ip route get 10.255.0.3"),
          lab.exec("r1", "ip route"))


def nginx(lab):
    equal(lab.exec("client", "curl -sS --max-time 20 http://web/").strip(),
          "<h1>It answers.</h1>", "the page")
    code = lab.exec("client", "curl -sS -o /dev/null -w '%{http_code}' http://web/none")
    equal(code, "404", "a page that is not there")
    lab.exec("web", "head -c 300000 /dev/urandom >/srv/lab/blob")
    equal(lab.exec("client", "curl -sS http://web/blob | sha256sum"),
          lab.exec("web", "sha256sum </srv/lab/blob"), "300 kB")


def zookeeper(lab):
    def client(server, *words):
        return lab.netlab("exec", "z1", "--", "java", "org.apache.zookeeper.ZooKeeperMain",
                          "-server", server, *words).stdout

    client("z1", "create", "/colour", "green")
    check("green" in client("z3", "get", "/colour").split(), "the value at another server")
    roles = [lab.exec(z, "bash -c 'exec 3<>/dev/tcp/localhost/2181; echo srvr >&3; "
                         "sed -n s/Mode:.//p <&3'").strip() for z in ("z1", "z2", "z3")]
    equal(sorted(roles), ["follower", "follower", "leader"], "roles")


SOFTWARE = [etcd, redis, postgres, ospf, nginx, zookeeper]


def use(home, what, kernel):
    lab = home.up(f"{what.__name__}.json", "--kernel", kernel, timeout=240)
    print(f"{what.__name__}: up in {lab.seconds:.1f} s")
    what(lab)


def tests():
    for which, kernel in (("own", harness.own_kernel()),
                          ("packaged", harness.PACKAGED_KERNEL)):
        if not kernel or not os.path.exists(kernel):
            print(f"not tried: the {which} kernel, which is not there")
            continue
        for what in SOFTWARE:
            yield f"test_{what.__name__}_starts_and_answers_{which}", \
                lambda home, what=what, kernel=kernel: use(home, what, kernel)


if __name__ == "__main__":
    sys.exit(harness.main(dict(tests())))
