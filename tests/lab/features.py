# SPDX-License-Identifier: MIT
"""features.py - what a kernel of netlab's own has to offer, each with a probe

A feature is used the way software uses it, and the result is looked at: that a device
or a system call is there says little.  Its steps are shell scripts, each run in machine
a or b, which have a network (10.0.0.1 and 10.0.0.2, fd00:1::1 and fd00:1::2 at eth0)
between them.  The first script that fails is what the feature failed of.

A script runs in a mount namespace of its own, with PRELUDE in front: $P is lab_probe
(tests/guest), and what `disk`, `space` and `peer` made is gone at the script's end.
PEER scripts also have a network namespace of their own.
"""
import collections

Feature = collections.namedtuple("Feature", "name steps seconds")

PRELUDE = r"""
set -eu
exec 2>&1
P=/lab/lab_probe
die() { echo "$*"; exit 1; }
loops= tables= spaces=
tidy() {
	for s in $spaces; do ip netns del "$s" || :; done
	for t in $tables; do dmsetup remove --noudevsync --retry "$t" || :; done
	for l in $loops; do losetup -d "$l" || :; done
	rm -rf /tmp/disk.*
}
trap tidy EXIT
# disk NAME MEGABYTES: sets NAME to a new loop device
disk() {
	truncate -s "$2M" "/tmp/disk.$1"
	_loop=$(losetup -f --show "/tmp/disk.$1")
	loops="$_loop $loops"
	eval "$1=$_loop"
}
# table NAME TARGET...: a device-mapper device over 64 MB, /dev/mapper/NAME
table() {
	_name=$1
	shift
	dmsetup create --noudevsync "$_name" --table "0 131072 $*"
	tables="$_name $tables"
	dmsetup mknodes "$_name"
}
# space NAME: a network namespace with an interface eth0; its other end is NAME here
space() {
	ip netns add "$1"
	spaces="$1 $spaces"
	ip link add "$1" type veth peer name eth0 netns "$1"
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
	ip link set "$1" up
}
in_() { _space=$1; shift; ip netns exec "$_space" "$@"; }
# NAME ADDRESS: with an address at eth0
peer() { space "$1"; ip -n "$1" address add "$2" dev eth0 ${3-}; }
pings() { ping -n -q -c2 -i0.2 -W3 "$@" >/tmp/pings || { cat /tmp/pings; die "no answer: ping $*"; }; }
"""

# The network namespace that a script gets is as empty as a new machine's.
PEER_PRELUDE = PRELUDE + "mount -t sysfs none /sys\nip link set lo up\n"

FEATURES = []


def add(name, *steps, seconds=30):
    FEATURES.append(Feature(name, [(node, PRELUDE + script) for node, script in steps],
                            seconds))


def here(name, script, seconds=30):
    """In machine a."""
    add(name, ("a", script), seconds=seconds)


def apart(name, script, seconds=30):
    """In machine a, in a network namespace of its own."""
    quoted = (PEER_PRELUDE + script).replace("'", "'\\''")
    FEATURES.append(Feature(
        name, [("a", f"exec unshare --net --mount sh -c '{quoted}'")], seconds))


def probe(name, arguments=None):
    here(name, f"$P {arguments or name}")


# ---- network ----------------------------------------------------------------

here("IPv4", "pings 10.0.0.2")
here("IPv6", "pings fd00:1::2")

add("nftables: nat, ct, sets, log", ("b", r"""
nft -f - <<'RULES'
table inet probe {
	set refused { type inet_service; flags interval; elements = { 7001-7009 } }
	counter asked {}
	counter known {}
	chain prerouting {
		type nat hook prerouting priority dstnat
		tcp dport 80 redirect to :7000
	}
	chain input {
		type filter hook input priority filter
		ct state established counter name known accept
		tcp dport @refused reject with tcp reset
		tcp dport 7000 ct state new limit rate 100/second log prefix "probe-log " counter name asked accept
	}
}
RULES
$P serve 7000 hello
$P serve 7005 wrong
"""), ("a", r"""
[ "$($P ask 10.0.0.2 80)" = hello ] || die "port 80 was not redirected"
! $P ask 10.0.0.2 7005 || die "the set was not matched"
"""), ("b", r"""
nft list ruleset
for c in asked known; do
	nft list counter inet probe $c | grep -q 'packets [1-9]' || die "$c counted nothing"
done
dmesg | grep -q 'probe-log .*DPT=7000' || die "nothing was logged"
nft flush ruleset
"""))

apart("nftables: masquerade", r"""
peer inside 10.71.0.2/24
peer outside 10.72.0.2/24
ip address add 10.71.0.1/24 dev inside
ip address add 10.72.0.1/24 dev outside
in_ inside ip route add default via 10.71.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward
! in_ inside ping -c1 -W1 10.72.0.2 >/dev/null || die "it answers without a way back"
nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname "outside" masquerade'
in_ inside ping -c1 -W3 10.72.0.2 >/dev/null || die "no answer through masquerade"
""")

apart("iptables over nftables", r"""
iptables -A OUTPUT -d 127.0.0.2 -p icmp -m comment --comment probe -m conntrack --ctstate NEW -j REJECT
iptables -t nat -A OUTPUT -d 127.0.0.3 -p tcp -m multiport --dports 80,81 -j REDIRECT --to-ports 7000
iptables -t mangle -A OUTPUT -d 127.0.0.4 -j MARK --set-mark 7
ip6tables -A OUTPUT -d ::1 -p icmpv6 -j DROP
$P serve 7000 hello
pings 127.0.0.1
! ping -c1 -W1 127.0.0.2 || die "REJECT did not"
[ "$($P ask 127.0.0.3 81)" = hello ] || die "REDIRECT did not"
! ping -c1 -W1 ::1 || die "ip6tables did not"
""")

apart("IP sets", r"""
ipset create few hash:ip timeout 60
ipset create nets hash:net
ipset create ports bitmap:port range 1-1000
ipset create both hash:ip,port
ipset create all list:set
ipset add few 127.0.0.2
ipset add nets 127.1.0.0/16
ipset add ports 80
ipset add both 127.0.0.9,tcp:80
ipset add all few
ipset add all nets
ipset test nets 127.1.2.3
! ipset test few 127.0.0.3 || die "127.0.0.3 is in the set"
iptables -A OUTPUT -m set --match-set all dst -j REJECT
pings 127.0.0.1
! ping -c1 -W1 127.0.0.2 || die "few"
! ping -c1 -W1 127.1.7.7 || die "nets"
""")

add("IPVS", ("b", r"""
ip address add 10.0.0.22/24 dev eth0
ip route add 10.99.0.1/32 via 10.0.0.1 # who asks a service here has its address
$P serve 7100 'real;'
"""), ("a", r"""
ip address add 10.99.0.1/32 dev lo
trap 'ip address del 10.99.0.1/32 dev lo; tidy' EXIT
modprobe -q ip_vs || : # as ipvsadm does
$P ipvs 10.99.0.1 7100 10.0.0.2 10.0.0.22
for i in 1 2 3 4; do $P ask 10.99.0.1 7100; done >/tmp/said
[ "$(cat /tmp/said)" = 'real;real;real;real;' ] || die "said: $(cat /tmp/said)"
cat /proc/net/ip_vs
# Two connections each.
[ "$(grep -c 'Masq .* 2 *$' /proc/net/ip_vs)" = 2 ] || die "not shared out"
"""), ("b", "ip address del 10.0.0.22/24 dev eth0\nip route del 10.99.0.1/32\n"))

apart("veth and network namespaces", r"""
peer x 10.73.0.2/24
ip address add 10.73.0.1/24 dev x
pings 10.73.0.2
""")

apart("bridge", r"""
peer x 10.73.0.1/24
peer y 10.73.0.2/24
ip link add br0 type bridge
for i in x y; do ip link set $i master br0; done
ip link set br0 up
in_ x ping -c1 -W3 10.73.0.2
bridge fdb show br br0 | grep -q "dev x master br0" || die "learned nothing"
# With VLANs: x and y do not see one another until both are in 10.
ip link set br0 type bridge vlan_filtering 1
bridge vlan del dev x vid 1
bridge vlan add dev x vid 10 pvid untagged
! in_ x ping -c1 -W1 10.73.0.2 || die "VLANs keep nothing apart"
bridge vlan add dev y vid 10 pvid untagged
in_ x ping -c1 -W3 10.73.0.2
""")

apart("VLAN", r"""
space x
for protocol in 802.1Q 802.1ad; do
	ip link add link x name v type vlan protocol $protocol id 7
	ip -n x link add link eth0 name v type vlan protocol $protocol id 7
	ip address add 10.73.0.1/24 dev v
	ip -n x address add 10.73.0.2/24 dev v
	ip link set v up
	ip -n x link set v up
	pings 10.73.0.2
	ip link del v
	ip -n x link del v
done
""")

for number, (name, what) in enumerate([
        ("VXLAN", "vxlan id 7 dstport 4789"), ("Geneve", "geneve id 7"),
        ("GRE", "gre"), ("GRE with Ethernet", "gretap"), ("IP in IP", "ipip"),
        ("IPv6 in IPv4 (sit)", "sit"), ("IPv6 GRE", "ip6gre")]):
    version = 6 if name.startswith("IPv6 GRE") else 4
    ends = ("10.0.0.1", "10.0.0.2") if version == 4 else ("fd00:1::1", "fd00:1::2")

    def end(local, remote, inner, what=what, number=number):
        local = "" if what.startswith("geneve") else f"local {local}"
        return (f"ip link add t{number} type {what} {local} remote {remote}\n"
                f"ip address add {inner} dev t{number}{' nodad' if ':' in inner else ''}\n"
                f"ip link set t{number} up\n")
    inner = "fd00:7{}::{}/64" if what == "sit" else "10.8{}.0.{}/24"
    add(name,
        ("b", end(ends[1], ends[0], inner.format(number, 2))),
        ("a", end(ends[0], ends[1], inner.format(number, 1)) +
         f"trap 'ip link del t{number}; tidy' EXIT\n"
         f"pings {inner.format(number, 2).split('/')[0]}\n"),
        ("b", f"ip link del t{number}"))

# Two keys made for this test.
WIREGUARD = r"""
KEY_a=aAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHmA=
KEY_b=aCAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PUA=
umask 077
me=$(hostname) other=a n=2 m=1
[ $me = b ] || { other=b n=1 m=2; }
eval "echo \$KEY_$me" >/tmp/key
public=$(eval "echo \$KEY_$other" | wg pubkey)
ip link add wg0 type wireguard
wg set wg0 listen-port 51820 private-key /tmp/key peer "$public" allowed-ips 10.90.0.0/24 endpoint 10.0.0.$m:51820
ip address add 10.90.0.$n/24 dev wg0
ip link set wg0 up
"""
add("WireGuard", ("b", WIREGUARD),
    ("a", WIREGUARD + "trap 'ip link del wg0; tidy' EXIT\npings 10.90.0.2\nwg show wg0\n"
     "wg show wg0 latest-handshakes | grep -q '[1-9]' || die 'no handshake'\n"),
    ("b", "ip link del wg0"))

IPSEC = r"""
me=$(hostname)
key=0x000102030405060708090a0b0c0d0e0f10111213
for pair in 1:2 2:1; do
	from=10.0.0.${pair%:*} to=10.0.0.${pair#*:}
	ip xfrm state add src $from dst $to proto esp spi 0x${pair%:*}00 mode transport aead 'rfc4106(gcm(aes))' $key 128
	way=out
	[ $me$from = b10.0.0.2 ] || [ $me$from = a10.0.0.1 ] || way=in
	ip xfrm policy add src $from dst $to dir $way tmpl src $from dst $to proto esp mode transport
done
"""
FLUSH = "ip xfrm policy flush\nip xfrm state flush\n"
add("IPsec (ESP)", ("b", IPSEC),
    ("a", IPSEC + "trap 'ip xfrm policy flush; ip xfrm state flush; tidy' EXIT\n"
     "pings 10.0.0.2\nip -s xfrm state\n"
     "ip -s xfrm state | grep -q '[1-9][0-9]*(packets)' || die 'nothing was encrypted'\n"),
    ("b", FLUSH))

apart("bonding", r"""
ip netns add far
spaces=far
for i in 0 1; do
	ip link add b$i type veth peer name f$i netns far
	ip -n far link set f$i up
done
ip -n far link add br0 type bridge
ip -n far link set br0 up
ip -n far address add 10.74.0.2/24 dev br0
for i in 0 1; do ip -n far link set f$i master br0; done
ip link add bond0 type bond mode active-backup miimon 50
for i in 0 1; do ip link set b$i master bond0; done
ip link set bond0 up
ip address add 10.74.0.1/24 dev bond0
pings 10.74.0.2
active=$(cat /sys/class/net/bond0/bonding/active_slave)
[ -n "$active" ] || die "no active slave"
ip link set "$active" down
ping -c10 -i0.3 -W1 10.74.0.2 | grep -q ' [1-9][0-9]* received' || die "no answer over the other"
[ "$(cat /sys/class/net/bond0/bonding/active_slave)" != "$active" ] || die "still $active"
for mode in balance-rr balance-xor broadcast 802.3ad balance-tlb balance-alb; do
	ip link add bond9 type bond mode $mode || die "mode $mode"
	ip link del bond9
done
""")

apart("dummy, ifb", r"""
ip link add d0 type dummy
ip address add 10.75.0.1/24 dev d0
ip link set d0 up
pings 10.75.0.1
peer x 10.73.0.2/24
ip address add 10.73.0.1/24 dev x
ip link add ifb9 type ifb
ip link set ifb9 up
# What comes in is sent through ifb9, and is late there.
tc qdisc add dev x clsact
tc filter add dev x ingress matchall action mirred egress redirect dev ifb9
tc qdisc add dev ifb9 root netem delay 100ms
ping -c2 -i0.2 -W3 10.73.0.2 >/tmp/pings
sed -nE 's,.*= ([0-9]+)\..*/.*,\1,p' /tmp/pings
[ "$(sed -nE 's,.*= ([0-9]+)\..*/.*,\1,p' /tmp/pings)" -ge 100 ] || die "not late: $(cat /tmp/pings)"
""")

for kind, mode in (("macvlan", "bridge"), ("ipvlan", "l2")):
    apart(kind, rf"""
peer x 10.76.0.2/24
ip netns add m
spaces="$spaces m"
ip link add link x name m0 netns m type {kind} mode {mode}
ip -n m address add 10.76.0.1/24 dev m0
ip -n m link set m0 up
in_ m ping -c1 -W3 10.76.0.2
""")

apart("VRF", r"""
peer red 10.77.0.2/24
peer blue 10.77.0.2/24
for colour in red blue; do
	n=10
	[ $colour = red ] || n=20
	ip link add vrf-$colour type vrf table $n
	ip link set vrf-$colour up
	ip link set $colour master vrf-$colour
	ip address add 10.77.0.1/24 dev $colour
done
for colour in red blue; do
	before=$(cat /sys/class/net/$colour/statistics/rx_packets)
	ping -n -q -c2 -i0.2 -W3 -I vrf-$colour 10.77.0.2
	[ "$(cat /sys/class/net/$colour/statistics/rx_packets)" -ge $((before + 2)) ] || die "not over $colour"
done
! ping -c1 -W1 10.77.0.2 || die "reached without its VRF"
""")

apart("policy routing", r"""
peer x 10.77.0.2/24
peer y 10.78.0.2/24
ip address add 10.77.0.1/24 dev x
ip address add 10.78.0.1/24 dev y
ip route add 10.79.0.0/16 via 10.77.0.2
ip route add 10.79.0.0/16 via 10.78.0.2 table 7
ip rule add fwmark 7 table 7
ip rule add from 10.78.0.1 table 7
ip rule add to 10.79.9.0/24 iif lo table 7
ip route get 10.79.0.1 | grep -q 'dev x' || die "main table"
ip route get 10.79.0.1 mark 7 | grep -q 'dev y' || die "by mark"
ip route get 10.79.0.1 from 10.78.0.1 | grep -q 'dev y' || die "by source"
ip route get 10.79.9.1 | grep -q 'dev y' || die "by destination"
ip -6 rule add from fd00:9::/64 table 9
ip -6 route add fd00:a::/64 dev x table 9
ip -6 rule show | grep -q 'lookup 9' || die "IPv6 rules"
""")

apart("multipath routes and next hops", r"""
peer x 10.77.0.2/24
peer y 10.78.0.2/24
ip address add 10.77.0.1/24 dev x
ip address add 10.78.0.1/24 dev y
ip route add 10.79.0.0/16 nexthop via 10.77.0.2 nexthop via 10.78.0.2
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ip route get 10.79.$i.1; done >/tmp/ways
grep -q 'dev x' /tmp/ways && grep -q 'dev y' /tmp/ways || die "one way only: $(cat /tmp/ways)"
ip nexthop add id 1 via 10.77.0.2 dev x
ip nexthop add id 2 via 10.78.0.2 dev y
ip nexthop add id 3 group 1/2
ip route add 10.80.0.0/16 nhid 3
ip route show 10.80.0.0/16 | grep -q 'nhid 3' || die "$(ip route)"
""")

apart("MPLS", r"""
modprobe -qa mpls_router mpls_iptunnel || : # as FRR's manual has it
peer x 10.77.0.2/24
ip address add 10.77.0.1/24 dev x
echo 1000 >/proc/sys/net/mpls/platform_labels
in_ x sh -c 'echo 1000 >/proc/sys/net/mpls/platform_labels; echo 1 >/proc/sys/net/mpls/conf/eth0/input'
in_ x ip address add 10.81.0.1/32 dev lo
in_ x ip -f mpls route add 100 dev lo
ip route add 10.81.0.1/32 encap mpls 100 via 10.77.0.2
pings 10.81.0.1
""")

MULTICAST = r"""
peer source SOURCE/MASK NODAD
peer sink SINK/MASK NODAD
ip address add NEAR/MASK dev source NODAD
ip address add FAR/MASK dev sink NODAD
in_ source ip route add default via NEAR
in_ sink ip route add default via FAR
cat >/tmp/go <<'GO'
ip netns exec source /lab/lab_probe msend GROUP eth0 &
sender=$!
status=0
ip netns exec sink /lab/lab_probe mreceive GROUP eth0 || status=$?
kill $sender
exit $status
GO
# Nothing passes by itself.
! sh /tmp/go || die "it is routed without a route"
$P mrouteVERSION source sink SOURCE GROUP sh /tmp/go || { cat /proc/net/ip*_mr_*; die "it is not routed"; }
"""


def multicast(version, **words):
    script = MULTICAST.replace("VERSION", str(version))
    script = script.replace("NODAD", "nodad" if version == 6 else "")
    for word in ("SOURCE", "SINK", "NEAR", "FAR", "GROUP", "MASK"):
        script = script.replace(word, words[word])
    return script


apart("multicast routing, IPv4", multicast(
    4, SOURCE="10.82.0.2", NEAR="10.82.0.1", SINK="10.83.0.2", FAR="10.83.0.1",
    GROUP="239.1.2.3", MASK="24"))
apart("multicast routing, IPv6", multicast(
    6, SOURCE="fd00:82::2", NEAR="fd00:82::1", SINK="fd00:83::2", FAR="fd00:83::1",
    GROUP="ff1e::7", MASK="64"))

apart("tun", "$P tun")
apart("tap", "$P tap")
apart("packet sockets", "$P packet")
apart("packet sockets with a ring", "$P packet_ring")
here("socket diagnosis (ss)", r"""
$P serve 7200 x
ss -Htln | grep -q ':7200 ' || die "ss sees no listener"
ss -Hxl >/tmp/unix
ss -Huan >/tmp/udp
""")
here("virtio network driver", "[ \"$(readlink /sys/class/net/eth0/device/driver | sed s,.*/,,)\" = virtio_net ]")

for control in ("reno cubic bbr dctcp vegas westwood htcp hybla highspeed illinois "
                "scalable veno yeah bic").split():
    # Without ECN on the way, dctcp says that it is another.
    apart(f"TCP congestion control {control}",
          f"echo 1 >/proc/sys/net/ipv4/tcp_ecn\n$P congestion {control}")

apart("netem in the guest", r"""
tc qdisc add dev lo root netem delay 40ms
ping -n -c3 -i0.2 -W3 127.0.0.1 >/tmp/pings
[ "$(sed -nE 's,.*= ([0-9]+)\..*/.*,\1,p' /tmp/pings)" -ge 80 ] || die "$(cat /tmp/pings)"
tc qdisc replace dev lo root netem loss 100%
! ping -n -c2 -i0.2 -W1 127.0.0.1 || die "it lost nothing"
tc qdisc replace dev lo root netem duplicate 100% corrupt 1% reorder 25% delay 1ms
""")

apart("queueing disciplines", r"""
peer x 10.73.0.2/24
ip address add 10.73.0.1/24 dev x
try() {
	tc qdisc replace dev x root "$@" || die "qdisc $1"
	ping -n -c1 -W3 10.73.0.2 >/dev/null || die "nothing passes $1"
	tc qdisc del dev x root
}
try pfifo limit 10
try prio
try fq
try fq_codel
try codel
try sfq
try cake bandwidth 10mbit
try tbf rate 10mbit burst 16kb latency 50ms
try red limit 400000 min 30000 max 90000 avpkt 1000
tc qdisc replace dev x root handle 1: htb default 10
tc class add dev x parent 1: classid 1:10 htb rate 10mbit
tc filter add dev x parent 1: protocol ip u32 match ip dst 10.73.0.2/32 flowid 1:10
tc filter add dev x parent 1: protocol ip flower dst_ip 10.73.0.3 flowid 1:10
tc filter add dev x parent 1: handle 7 fw flowid 1:10
ping -n -c1 -W3 10.73.0.2 >/dev/null || die "nothing passes htb"
tc -s class show dev x | grep -q 'Sent [1-9]' || die "htb counted nothing"
tc qdisc add dev x clsact
tc filter add dev x egress protocol ip flower ip_proto icmp action drop
! ping -n -c1 -W1 10.73.0.2 >/dev/null || die "drop did not"
""")

# ---- file systems -----------------------------------------------------------

STORE = r"""
mkdir -p /tmp/m
mount DEV /tmp/m
head -c 3000000 /dev/urandom >/tmp/m/data
sum=$(sha256sum </tmp/m/data)
mkdir /tmp/m/folder
ln -s data /tmp/m/link
sync
umount /tmp/m
mount DEV /tmp/m
[ "$(sha256sum </tmp/m/link)" = "$sum" ] || die "the content changed"
"""
here("ext4", "disk d 64\nmkfs.ext4 -q $d\n" + STORE.replace("DEV", "$d") + r"""
setfattr -n user.probe -v yes /tmp/m/data 2>/dev/null || [ ! -x /usr/bin/setfattr ]
umount /tmp/m
e2fsck -fn $d >/tmp/fsck || die "$(cat /tmp/fsck)"
""")
here("btrfs", "disk d 128\nmkfs.btrfs -q -f $d\n" + STORE.replace("DEV", "$d") + r"""
btrfs -q subvolume snapshot -r /tmp/m /tmp/m/snap
echo changed >/tmp/m/data
[ "$(sha256sum </tmp/m/snap/link)" = "$sum" ] || die "the snapshot changed"
btrfs scrub start -B /tmp/m
""", seconds=60)
here("btrfs, RAID 1 over two devices", "disk d 128\ndisk e 128\n"
     "mkfs.btrfs -q -f -d raid1 -m raid1 $d $e\nbtrfs device scan $d $e\n" +
     STORE.replace("DEV", "$d") + "btrfs filesystem show /tmp/m | grep -c devid\n", seconds=60)
here("overlay", r"""
mkdir -p /tmp/o/l /tmp/o/u /tmp/o/w /tmp/o/m
echo low >/tmp/o/l/one
echo low >/tmp/o/l/two
mount -t overlay overlay -o lowerdir=/tmp/o/l,upperdir=/tmp/o/u,workdir=/tmp/o/w /tmp/o/m
echo high >/tmp/o/m/one
rm /tmp/o/m/two
[ "$(cat /tmp/o/m/one /tmp/o/l/one /tmp/o/l/two)" = "high
low
low" ] || die "it wrote below"
[ ! -e /tmp/o/m/two ] || die "a file that was removed is there"
umount /tmp/o/m
rm -r /tmp/o
""")
for packer in ("gzip", "xz", "lz4", "zstd", "lzo"):
    here(f"squashfs with {packer}", rf"""
mkdir /tmp/disk.s /tmp/disk.m
cp /bin/sh /etc/passwd /tmp/disk.s
mksquashfs /tmp/disk.s /tmp/disk.q -comp {packer} -quiet -no-progress
mount -o loop,ro /tmp/disk.q /tmp/disk.m
cmp /bin/sh /tmp/disk.m/sh
umount /tmp/disk.m
""")
here("tmpfs", r"""
mkdir -p /tmp/m
mount -t tmpfs -o size=1m none /tmp/m
head -c 500000 /dev/zero >/tmp/m/fits
! head -c 2000000 /dev/zero 2>/dev/null >/tmp/m/large || die "it grew past its size"
$P xattr /tmp/m/fits
""")
here("hostfs", r"""
mkdir -p /tmp/m
mount -t hostfs -o /usr none /tmp/m 2>/dev/null || mount -t hostfs -o hostfs=/usr none /tmp/m
cmp /tmp/m/bin/env /usr/bin/env
""")
here("FUSE", "mkdir -p /tmp/m\n$P fuse /tmp/m")
here("pseudo file systems", r"""
for type in proc sysfs devtmpfs devpts mqueue cgroup2 debugfs; do
	grep -qw $type /proc/filesystems || die "no $type"
done
""")

# The server's caches are filled by hand, as rpc.mountd would on request, so no daemon
# of the host's is needed: documented in the kernel's rpc-cache.rst and nfsd's export.c.
add("NFS server and client", ("b", r"""
# Not in this script's own mount namespace, at whose end the server would stop.
nsenter -t 1 -m sh -eu <<'SERVER'
mkdir -p /tmp/export
mount -t tmpfs none /tmp/export
echo 'from the server' >/tmp/export/file
mount -t nfsd nfsd /proc/fs/nfsd
say() { printf '%s\n' "$2" >"$1" || { echo "$1 does not take '$2'"; exit 1; }; }
say /proc/net/rpc/auth.unix.ip/channel 'nfsd 10.0.0.1 2147483647 probe'
# fsid=0, no_subtree_check, insecure; rw and no_root_squash go without saying
say /proc/net/rpc/nfsd.export/channel 'probe /tmp/export 2147483647 9218 65534 65534 0'
say /proc/net/rpc/nfsd.fh/channel 'probe 1 \x00000000 2147483647 /tmp/export'
say /proc/fs/nfsd/versions '-3 +4 +4.1 +4.2'
# Until this has passed, clients of a server that was there before may come back.
say /proc/fs/nfsd/nfsv4leasetime 10
say /proc/fs/nfsd/nfsv4gracetime 10
say /proc/fs/nfsd/portlist 'tcp 2049'
say /proc/fs/nfsd/threads 2
echo Y >/proc/fs/nfsd/v4_end_grace || :
SERVER
"""), ("a", r"""
mkdir -p /tmp/m
mount -i -t nfs4 10.0.0.2:/ /tmp/m -o vers=4.2,addr=10.0.0.2,clientaddr=10.0.0.1,soft,timeo=30
grep nfs4 /proc/mounts
[ "$(cat /tmp/m/file)" = 'from the server' ] || die "read"
head -c 3000000 /dev/urandom >/tmp/m/big
sum=$(sha256sum </tmp/m/big)
umount /tmp/m
mount -i -t nfs4 10.0.0.2:/ /tmp/m -o vers=4.2,addr=10.0.0.2,clientaddr=10.0.0.1,soft,timeo=30
[ "$(sha256sum </tmp/m/big)" = "$sum" ] || die "the content changed"
flock -n /tmp/m/big true || die lock
umount /tmp/m
"""), ("b", r"""
nsenter -t 1 -m sh -c 'echo 0 >/proc/fs/nfsd/threads; umount /proc/fs/nfsd /tmp/export'
"""), seconds=60)

# ---- block devices ----------------------------------------------------------

here("loop", r"""
disk d 8
$P write_block $d 3 65
[ "$(dd if=/tmp/disk.d bs=4096 skip=3 count=1 2>/dev/null | tr -d A | wc -c)" = 0 ] || die "not in the file"
[ "$(blockdev --getsize64 $d)" = 8388608 ] || die size
""")
here("device mapper: linear, zero, error", r"""
disk d 64
dmsetup create --noudevsync mix --table "0 8 error
8 8 zero
16 131056 linear $d 0"
tables=mix
dmsetup mknodes mix
! $P read_block /dev/mapper/mix 0 || die "error"
[ "$($P read_block /dev/mapper/mix 1)" = 0 ] || die "zero"
$P write_block /dev/mapper/mix 2 66
[ "$($P read_block $d 0)" = 66 ] || die "linear"
""")
here("device mapper: flakey", r"""
disk d 64
table f flakey $d 0 3600 0
$P write_block /dev/mapper/f 5 67
dmsetup remove --noudevsync f
tables=
table f flakey $d 0 0 3600
! $P read_block /dev/mapper/f 5 || die "it should be down"
dmsetup remove --noudevsync f
tables=
table f flakey $d 0 0 3600 1 drop_writes
$P write_block /dev/mapper/f 5 68
[ "$($P read_block $d 5)" = 67 ] || die "the write was not dropped"
""")
here("device mapper: delay", r"""
disk d 64
table d1 delay $d 0 300
begin=$(date +%s%N)
$P read_block /dev/mapper/d1 1
[ $((($(date +%s%N) - begin) / 1000000)) -ge 300 ] || die "it is not late"
""")
here("device mapper: dust", r"""
disk d 64
table u dust $d 0 4096
dmsetup message u 0 addbadblock 3
$P read_block /dev/mapper/u 3 >/dev/null
dmsetup message u 0 enable
! $P read_block /dev/mapper/u 3 || die "block 3 is bad"
$P read_block /dev/mapper/u 4 >/dev/null
$P write_block /dev/mapper/u 3 69
[ "$($P read_block /dev/mapper/u 3)" = 69 ] || die "a write mends it"
""")
here("device mapper: log-writes", r"""
disk d 64
disk l 64
table w log-writes $d $l
$P write_block /dev/mapper/w 3 70
dmsetup message w 0 mark probe
$P write_block /dev/mapper/w 4 71
dmsetup remove --noudevsync w
tables=
# magic "jsfwshr" backwards, version, and the number of entries
[ "$(od -An -tx8 -N8 $l | tr -d ' ')" = 006a736677736872 ] || die "no log: $(od -An -tx8 -N24 $l)"
[ "$(od -An -td8 -j16 -N8 $l | tr -d ' ')" -ge 3 ] || die "entries: $(od -An -td8 -j16 -N8 $l)"
""")
here("device mapper: snapshot", r"""
disk d 64
disk c 16
$P write_block $d 1 72
table base snapshot-origin $d
table snap snapshot $d $c N 8
$P write_block /dev/mapper/base 1 73
[ "$($P read_block /dev/mapper/snap 1)" = 72 ] || die "the snapshot changed"
$P write_block /dev/mapper/snap 2 74
[ "$($P read_block /dev/mapper/base 2)" = 0 ] || die "the origin changed"
[ "$($P read_block /dev/mapper/base 1)" = 73 ] || die "the origin lost its write"
""")

# By the array's own files, as mdadm does it, but nothing is written on the disks.
MD = r"""
md() { echo "$2" >/sys/block/$array/md/$1 || die "md: $1: $2"; }
# make LEVEL DISK...: sets $array to its name
make() {
	_level=$1 _n=0
	array=md_$1
	shift
	[ -d /sys/module/md_mod ] || modprobe -q md-mod || die "no md"
	echo $array >/sys/module/md_mod/parameters/new_array
	trap 'echo clear >/sys/block/$array/md/array_state || :; tidy' EXIT
	md metadata_version none
	md level $_level
	md raid_disks $#
	[ $_level = raid1 ] || md chunk_size 65536
	[ $_level = raid0 ] || md component_size 16384
	for _d; do
		md new_dev "$(cat /sys/class/block/${_d##*/}/dev)"
		echo 16384 >/sys/block/$array/md/dev-${_d##*/}/size
		md dev-${_d##*/}/slot $_n
		_n=$((_n + 1))
	done
	[ $_level = raid0 ] || md resync_start none
	md array_state active
	cat /proc/mdstat
}
"""
here("md: RAID 1, and a disk that fails", MD + r"""
disk x 16
disk y 16
make raid1 $x $y
$P write_block /dev/$array 5 75
[ "$($P read_block $x 5) $($P read_block $y 5)" = "75 75" ] || die "not on both"
md dev-${x##*/}/state faulty
$P write_block /dev/$array 5 76
[ "$($P read_block /dev/$array 5) $($P read_block $x 5)" = "76 75" ] || die "faulty"
""")
here("md: RAID 0", MD + r"""
disk x 16
disk y 16
make raid0 $x $y
$P write_block /dev/$array 0 77
$P write_block /dev/$array 16 78
[ "$($P read_block $x 0) $($P read_block $y 0)" = "77 78" ] || die "not striped"
""")
here("md: RAID 5, and a disk that fails", MD + r"""
disk x 16
disk y 16
disk z 16
make raid5 $x $y $z
$P write_block /dev/$array 5 79
md dev-${x##*/}/state faulty
md dev-${x##*/}/state faulty
[ "$($P read_block /dev/$array 5)" = 79 ] || die "lost with one disk of three"
""")

DRBD = r"""
modprobe -q drbd || :
[ -e /proc/drbd ] || die "no DRBD"
mkdir -p /var/lib/drbd /var/lock
truncate -s 32M /tmp/drbd.img
modprobe -q loop || :
losetup /dev/loop6 /tmp/drbd.img
cat >/etc/drbd.conf <<'CONF'
resource r0 {
	device /dev/drbd0;
	disk /dev/loop6;
	meta-disk internal;
	protocol C;
	on a { address 10.0.0.1:7788; }
	on b { address 10.0.0.2:7788; }
}
CONF
drbdadm create-md --force r0
drbdadm up r0
"""
DRBD_OFF = r"""
drbdadm down r0
losetup -d /dev/loop6
rm /tmp/drbd.img
"""
add("DRBD", ("b", DRBD), ("a", DRBD + r"""
timeout 20 drbdsetup wait-connect-resource r0 2>/dev/null || timeout 20 drbdadm wait-connect r0
# The tools return before both sides agree on what they are.
until_it_is() {
	i=0
	until grep -q "$1" /proc/drbd; do
		i=$((i + 1))
		[ $i -lt 200 ] || die "not $1: $(cat /proc/drbd)"
		sleep 0.1
	done
}
until_it_is cs:Connected
drbdadm -- --clear-bitmap new-current-uuid r0
until_it_is ds:UpToDate/UpToDate
drbdadm primary r0
$P write_block /dev/drbd0 7 80
cat /proc/drbd
drbdadm secondary r0
"""), ("b", r"""
drbdadm primary r0
cat /proc/drbd
[ "$($P read_block /dev/drbd0 7)" = 80 ] || die "the write is not here"
drbdadm secondary r0
"""), ("a", DRBD_OFF), ("b", DRBD_OFF), seconds=60)

# ---- processes --------------------------------------------------------------

for kind in "mnt uts ipc net user cgroup pid time".split():
    probe(f"namespace: {kind}", f"namespace {kind}")
probe("namespaces for ordinary users", "user_ns")

CGROUP = r"""
g=/sys/fs/cgroup/probe
for c in cpu io memory pids; do
	grep -qw $c /sys/fs/cgroup/cgroup.controllers || die "no controller $c: $(cat /sys/fs/cgroup/cgroup.controllers)"
	echo +$c >/sys/fs/cgroup/cgroup.subtree_control
done
mkdir $g
trap 'rmdir $g; tidy' EXIT
within() { sh -c 'echo 0 >/sys/fs/cgroup/probe/cgroup.procs; exec "$@"' - "$@"; }
"""
here("cgroups: pids", CGROUP + r"""
echo 2 >$g/pids.max
within sh -c 'true; true'
within sh -c '(sh -c "sh -c true; true"; true); true' || :
grep -q 'max [1-9]' $g/pids.events || die "$(cat $g/pids.events)"
""")
here("cgroups: memory", CGROUP + r"""
echo 8M >$g/memory.max
echo 0 >$g/memory.swap.max 2>/dev/null || :
within $P eat_memory 4
status=0
within $P eat_memory 24 || status=$?
[ $status = 137 ] || die "not killed, but $status"
grep -q 'oom_kill [1-9]' $g/memory.events || die "$(cat $g/memory.events)"
""")
here("cgroups: cpu", CGROUP + r"""
echo '10000 100000' >$g/cpu.max
within timeout 1 sh -c 'while :; do :; done' || :
cat $g/cpu.stat
grep -q 'nr_throttled [1-9]' $g/cpu.stat || die "was not throttled"
""")
here("cgroups: io", CGROUP + r"""
disk d 16
device=$(cat /sys/class/block/${d##*/}/dev)
echo "$device wbps=1048576" >$g/io.max
begin=$(date +%s%N)
within dd if=/dev/zero of=$d bs=64k count=16 oflag=direct
[ $((($(date +%s%N) - begin) / 1000000)) -ge 500 ] || die "was not throttled"
grep -q "^$device" $g/io.stat || die "no statistics: $(cat $g/io.stat)"
""")
here("cgroups: freezer", CGROUP + r"""
within sh -c 'while read -r _; do echo alive; done' </tmp/none 2>/dev/null || :
mkfifo /tmp/disk.in
within sh -c 'read -r _; echo thawed >/tmp/disk.out' </tmp/disk.in &
exec 3>/tmp/disk.in
echo 1 >$g/cgroup.freeze
i=0
until grep -q 'frozen 1' $g/cgroup.events; do i=$((i + 1)); [ $i -lt 1000 ] || die "not frozen"; done
echo go >&3
echo 0 >$g/cgroup.freeze
wait
grep -q thawed /tmp/disk.out
""")

probe("BPF maps", "bpf_maps")
probe("BPF programs", "bpf_program")
apart("BPF: XDP", "$P bpf_xdp")
here("BPF: control groups", r"""
mkdir -p /sys/fs/cgroup/bpf
$P bpf_cgroup /sys/fs/cgroup/bpf
rmdir /sys/fs/cgroup/bpf
""")
probe("io_uring")
probe("asynchronous I/O", "aio")
probe("SysV IPC", "sysv")
probe("POSIX message queues", "mqueue")
probe("inotify")
probe("fanotify")
probe("epoll, eventfd, timerfd, signalfd", "epoll")
probe("userfaultfd")
probe("seccomp filters", "seccomp")
probe("ptrace")
probe("process_vm_readv, pidfd", "processes")
probe("memfd, membarrier, mlock", "memory")
probe("file locks", "file_locks")
here("swap", r"""
disk d 16
mkswap $d
swapon $d
grep -q "$d" /proc/swaps || die "$(cat /proc/swaps)"
swapoff $d
""")

# ---- the machine ------------------------------------------------------------

probe("watchdog")
here("fault injection: block requests", r"""
mount -t debugfs none /sys/kernel/debug
f=/sys/kernel/debug/fail_make_request
[ -d $f ] || die "no $f"
disk d 8
$P write_block $d 1 81
b=/sys/block/${d##*/}
trap 'echo 0 >$f/probability; echo 0 >$b/make-it-fail; tidy' EXIT
echo 1 >$b/make-it-fail
echo 100 >$f/probability
echo 1 >$f/interval
echo -1 >$f/times
echo 0 >$f/verbose
! $P read_block $d 1 || die "nothing failed"
echo 0 >$f/probability
[ "$($P read_block $d 1)" = 81 ] || die "still failing"
""")
here("fault injection: memory, and the n-th call", r"""
mount -t debugfs none /sys/kernel/debug
[ -d /sys/kernel/debug/failslab ] || die "no failslab"
[ -d /sys/kernel/debug/fail_page_alloc ] || die "no fail_page_alloc"
$P fail_nth
""")
here("virtio entropy driver", "[ -d /sys/bus/virtio/drivers/virtio_rng ] || modprobe virtio-rng && [ -d /sys/bus/virtio/drivers/virtio_rng ]")
here("virtio console driver", "[ -d /sys/bus/virtio/drivers/virtio_console ]")
