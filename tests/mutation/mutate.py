#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutate.py BUILD [NAME]... - is each line of the fault models held by a test?

Each mutation below is one small mistake in a source of the link faults: a flipped
comparison, an off-by-one, a draw in the wrong lane.  It is made in a copy, compiled,
and linked in front of the libraries of BUILD (an ordinary build of this tree) into the
tests of the faults.  At least one of them has to fail.  A mutation that no test sees,
that does not compile or that is not found in the source any more fails this program.

Exit status 0: every mutation was caught.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In the order of their time: the first that fails ends it.
UNIT = ["test_fault", "test_fault_line", "test_fault_edit", "test_fault_stats"]
SIM = ["test_switch_faults", "test_switch_trail", "test_switch", "test_switch_segment",
       "test_switch_properties", "test_switch_saved"]
TESTS = {"linkfault": UNIT, "switch": SIM}
SECONDS_MAX = 60  # an endless loop is caught, too
FAULT, LOSS, LINE = "linkfault/fault.c", "linkfault/loss.c", "linkfault/line.c"
DELAY, CYCLE, EDIT = "linkfault/delay.c", "linkfault/cycle.c", "linkfault/edit.c"
CHANCE, QUANTILE = "linkfault/chance.h", "linkfault/quantile.c"
CHAIN, SPEC, PASSAGE = "linkfault/chain.c", "linkfault/spec.c", "linkfault/passage.c"
DIRECTION, QUEUE = "switch/direction.c", "switch/line_queue.c"
SAVED, FRAME_SAVED = "switch/switch_record.c", "switch/frame_record.c"

# name, file, what is there, what is there instead
MUTATIONS = [
    # match
    ("after-off-by-one", FAULT, "*number >= rule->after", "*number > rule->after"),
    ("first-off-by-one", FAULT, "*number - rule->after < rule->first",
     "*number - rule->after <= rule->first"),
    ("until-flipped", FAULT, "frame->now_ns >= rule->until_ns",
     "frame->now_ns > rule->until_ns"),
    ("filter-ignored", FAULT, "rule->filter && !filter_wants", "false && !filter_wants"),
    ("apply-flipped", FAULT, "!dice_yes(dice_of(state, frame, 0), LANE_MATCH",
     "dice_yes(dice_of(state, frame, 0), LANE_MATCH"),
    # admit
    ("mtu-off-by-one", FAULT, "payload_bytes(frame) > rule->mtu_bytes",
     "payload_bytes(frame) >= rule->mtu_bytes"),
    ("mtu-counts-the-tag", FAULT, "(tagged ? TAG_BYTES : 0)", "(tagged ? 0 : 0)"),
    ("flap-upside-down", FAULT, "!cycle_is_on(&rule->flap", "cycle_is_on(&rule->flap"),
    # copies
    ("one-copy-too-many", FAULT, "while (more--)", "while (more-- + 1)"),
    ("copies-draw-alike", FAULT, "fault_copy_key(state->key, copy)",
     "state->key"),
    ("replay-at-once", FAULT, "v->delay_ns = what->later_ns;", "v->delay_ns = 0;"),
    # loss
    ("gemodel-new-state", LOSS, "p_ppb[bad ? 2 : 3]", "p_ppb[state->chain ? 2 : 3]"),
    ("gemodel-p-and-r-swapped", LOSS, "p_ppb[bad ? 1 : 0]", "p_ppb[bad ? 0 : 1]"),
    ("gemodel-h-and-k-swapped", LOSS, "p_ppb[bad ? 2 : 3]", "p_ppb[bad ? 3 : 2]"),
    ("gemodel-one-draw", LOSS, "dice_yes(dice, LANE_LOSS, p_ppb",
     "dice_yes(dice, LANE_LOSS_STATE, p_ppb"),
    ("state-4-stays", LOSS, "	case 4:\n		return 1;", "	case 4:\n		return 4;"),
    ("state-p14-forgotten", LOSS, "(uint64_t)p_ppb[0] + p_ppb[4] ? 3 : 1",
     "(uint64_t)p_ppb[0] ? 3 : 1"),
    ("state-p32-forgotten", LOSS, "(uint64_t)p_ppb[1] + p_ppb[2] ? 1 : 3",
     "(uint64_t)p_ppb[1] ? 1 : 3"),
    ("state-2-flipped", LOSS, "return u < p_ppb[3] ? 3 : 2;", "return u < p_ppb[3] ? 2 : 3;"),
    ("state-4-arrives", LOSS, "return state->chain >= 3;", "return state->chain == 3;"),
    ("every-off-by-one", LOSS, "(number + 1) % rule->loss_every", "number % rule->loss_every"),
    ("list-upside-down", LOSS, "return fault_data_has(", "return !fault_data_has("),
    ("loss-at-p", CHANCE, "bits_below(bits, FAULT_PPB_ALL) < chance.p_ppb",
     "bits_below(bits, FAULT_PPB_ALL) <= chance.p_ppb"),
    ("correlation-forgets", CHANCE, "	last->drawn = true;\n", ""),
    ("correlation-as-netem", CHANCE, "		return last->bits;\n	last->drawn",
     "		return last->bits / 2 + dice_bits(dice, lane) / 2;\n	last->drawn"),
    ("drop-first-one-too-many", FAULT, "number - state->drop_from < rule->drop_first",
     "number - state->drop_from <= rule->drop_first"),
    ("drop-first-stops-the-chain", FAULT, "bool loses = fault_rule_has_loss(rule) &&",
     "bool loses = number - state->drop_from >= rule->drop_first && fault_rule_has_loss(rule) &&"),
    # corrupt
    ("bit-order", FAULT, "0x80 >> verdict->flip[k] % 8", "1 << verdict->flip[k] % 8"),
    ("fcs-delivered", FAULT, "v->fate = FAULT_FCS;", "v->fate = FAULT_PASS;"),
    ("last-bit-never", FAULT, "if (bit >= bits ||", "if (bit + 1 >= bits ||"),
    ("all-bits-the-same", FAULT, "draw_bits(dice.key + k, dice.n, LANE_CORRUPT_BIT)",
     "draw_bits(dice.key, dice.n, LANE_CORRUPT_BIT)"),
    ("repair-without-header", EDIT, "	put16(ip + 10, fold(add_words(0, ip, header)));\n", ""),
    ("repair-no-pseudo-header", EDIT, "add_words(size + proto, addresses",
     "add_words(size, addresses"),
    ("repair-odd-byte", EDIT, "return size ? sum + (uint32_t)(at[0] << 8) : sum;",
     "return sum;"),
    ("repair-fragments", EDIT, "get16(ip + 6) & 0x3fff", "get16(ip + 6) & 0x1fff"),
    ("mark-not-ect", EDIT, "bytes[p.at + 1] & ECN_MASK) != 0",
     "bytes[p.at + 1] & ECN_MASK) == 0"),
    ("mark-v6-class", EDIT, "ip[1] |= ECN_CE << 4;", "ip[1] |= ECN_CE;"),
    ("mark-old-checksum", EDIT, "(uint32_t)(uint16_t)~before + get16(ip)", "0"),
    # delay
    ("uniform-half-open", DELAY, "2 * width_ns + 1)", "2 * width_ns)"),
    ("uniform-not-centred", DELAY, "2 * width_ns + 1) - jitter_ns;",
     "2 * width_ns + 1);"),
    ("normal-is-exponential", DELAY, "scale(quantile(&quantiles_normal, bits)",
     "scale(quantile(&quantiles_exponential, bits)"),
    ("paretonormal-scale", DELAY, "sum * 20724", "sum * 22000"),
    ("gap-off-by-one", DELAY, "state->since_reorder < gap - 1", "state->since_reorder < gap"),
    ("gap-never-reset", DELAY, "	state->since_reorder = 0;\n", ""),
    ("order-not-kept", FAULT, "	return *last_ns = due_ns;", "	return due_ns;"),
    ("delays-do-not-add", FAULT, "	v->delay_ns += ns;", "	v->delay_ns = ns;"),
    ("first-line-taken", FAULT, "			v->line = (uint8_t)i;",
     "			v->line = v->line == NO_RULE ? (uint8_t)i : v->line;"),
    ("quantile-sides", QUANTILE, "upper ? table->upper : table->lower",
     "upper ? table->lower : table->upper"),
    ("quantile-no-interpolation", QUANTILE, "(tail << (64 - shift) >> 32)",
     "(tail << (64 - shift) >> 34)"),
    # cycles
    ("cycle-phase-forgotten", CYCLE, "now_ns % whole + cycle->phase_ns % whole",
     "now_ns % whole"),
    ("cycle-end-flipped", CYCLE, "bool on = at < cycle->on_ns;",
     "bool on = at <= cycle->on_ns;"),
    ("cycle-mean-of-the-other", CYCLE, "on ? cycle->on_ns : cycle->off_ns,",
     "on ? cycle->off_ns : cycle->on_ns,"),
    # states
    ("states-next-flipped", CHAIN, "u >= node->to_ppb[to]", "u < node->to_ppb[to]"),
    ("states-share-not-taken", CHAIN, "		u -= node->to_ppb[to];\n", "		u -= 0;\n"),
    ("states-mean-of-the-first", CHAIN, "chain->node[state->at].mean_ns",
     "chain->node[0].mean_ns"),
    ("states-one-draw-for-all", CHAIN, "draw_bits(key, state->n, LANE_STATE_TIME)",
     "draw_bits(key, 0, LANE_STATE_TIME)"),
    ("states-late", CHAIN, "while (state->end_ns <= now_ns)",
     "while (state->end_ns + 500000 <= now_ns)"),
    ("states-of-no-rule", FAULT, "return !*rule->in || (at && !strcmp(rule->in, at));",
     "return true;"),
    ("states-down-only-when-offered", FAULT, "if (spec->rule[i].down && *spec->rule[i].in",
     "if (false && *spec->rule[i].in"),
    ("states-own-rate-only", FAULT, "const char *at = index ? NULL : state_at",
     "const char *at = true ? NULL : state_at"),
    ("states-line-of-their-own", SPEC, "return !*spec->rule[index].in && fault_rule",
     "return fault_rule"),
    ("states-rest-kept", LINE, "		line->rate_bps = rule->rate_bps;\n		line->free_rest = 0;",
     "		line->free_rest = 0;"),
    # carrier
    ("carrier-unasked", FAULT, "rule->down || !rule->carrier)", "rule->down)"),
    ("carrier-looks-too-late", FAULT, "flap_ns < state_ns ? flap_ns : state_ns",
     "flap_ns > state_ns ? flap_ns : state_ns"),
    # passage
    ("passage-marked-is-lost", PASSAGE, "if (rule->ecn)", "if (false)"),
    ("passage-only-in-bad", PASSAGE, "rule->loss_p_ppb[3] == FAULT_PPB_ALL", "true"),
    ("passage-a-state-is-always", PASSAGE, "rule->when.on_ns || *rule->in", "rule->when.on_ns"),
    ("passage-of-some-frames", PASSAGE, "!fault_rule_is_for_all(rule) ||", "false ||"),
    ("passage-the-first", PASSAGE, "one > worst ? one : worst", "one"),
    # the line
    ("limit-off-by-one", LINE, "line->frames >= limit_frames(rule)",
     "line->frames > limit_frames(rule)"),
    ("random-drops-in-vain", LINE, "line->front_bytes + size <= rule->limit_bytes", "size > 0"),
    ("limit-bytes-flipped", LINE, "line->bytes + frame->size > rule->limit_bytes",
     "line->bytes + frame->size >= rule->limit_bytes"),
    ("rate-drifts", LINE, "		line->free_rest = small % rule->rate_bps;",
     "		line->free_rest = 0;"),
    ("rate-early", LINE, "		return line->free_ns + (line->free_rest > 0);\n	}",
     "		return line->free_ns;\n	}"),
    ("rate-idle-saves-up", LINE,
     "		line->free_ns = now_ns;\n		line->free_rest = 0;\n	}\n	/* A", "	}\n	/* A"),
    ("cells-rounded-down", LINE, "(bytes + cell - 1) / cell", "bytes / cell"),
    ("red-not-uniform", LINE, "(FAULT_PPB_ALL - part)", "FAULT_PPB_ALL"),
    ("red-below-the-minimum", LINE, "*average_bytes < rule->red_min_bytes",
     "*average_bytes > rule->red_min_bytes"),
    ("red-average-too-quick", LINE, "RED_WEIGHT_LOG2 = 9", "RED_WEIGHT_LOG2 = 5"),
    ("codel-first-drop-late", LINE, "return now_ns >= line->above_ns;",
     "return now_ns > line->above_ns + rule->codel_interval_ns;"),
    ("codel-no-square-root", LINE, "uint64_t square = (uint64_t)count << 32",
     "uint64_t square = (uint64_t)1 << 32"),
    ("codel-below-target", LINE, "waited_ns < rule->codel_target_ns",
     "waited_ns > rule->codel_target_ns"),
    ("slot-frames-off-by-one", LINE, "line->slot_frames < rule->slot_frames",
     "line->slot_frames <= rule->slot_frames"),
    ("slot-lets-latecomers-in", LINE, "line->slot_no && since_ns <= line->slot_ns",
     "line->slot_no"),
    ("slot-jitter-forgotten", LINE, "		ns += fault_spread_ns(", "		(void)fault_spread_ns("),
    ("slot-jitter-always-the-same", LINE, "draw_bits(state->key, no, LANE_SLOT_JITTER)",
     "draw_bits(state->key, 0, LANE_SLOT_JITTER)"),
    ("slot-negative", LINE, "return ns < 0 ? 0 : (uint64_t)ns;\n}\n\nstatic uint64_t slot_from",
     "return (uint64_t)ns;\n}\n\nstatic uint64_t slot_from"),
    ("clog-forgotten", LINE, "if (open && rule->clog.on_ns)", "if (false && rule->clog.on_ns)"),
    ("capacity-saves-up", LINE, "if (first > line->opportunity)",
     "if (first < line->opportunity)"),
    ("capacity-not-shared", LINE, "line->left_bytes = OPPORTUNITY_BYTES - need;",
     "line->left_bytes = 0;"),
    ("capacity-period", LINE, "if (round && now_ns % period_ns == 0)", "if (false)"),
    # the switch
    ("edit-shared-bytes", QUEUE, "if (!hold_own_bytes(sw, hold))", "if (false)"),
    ("evict-the-next-one", QUEUE, "for (uint32_t i = 0; i < victim; i++)",
     "for (uint32_t i = 0; i < 0 * victim; i++)"),
    ("hold-not-lifted", DIRECTION, "			line_queue_changed(sw, lines[i], now_ns);",
     "			(void)now_ns;"),
    ("copies-uncounted", DIRECTION, "	d->count.copies += count - 1;\n", ""),
    ("copies-tell-as-the-first", DIRECTION, "trail_back_to(trail, copy ? here : told);",
     "trail_back_to(trail, told);"),
    # saved and loaded
    ("saved-without-sending", SAVED, "record_bool(s->r, &line->sending);", ""),
    ("saved-without-order", SAVED, "record_u64(s->r, &queue->order_next);",
     "queue->order_next = UINT64_MAX;"),
    ("loaded-line-unscheduled", SAVED,
     "((struct line_queue *)entry->item)->scheduled = true;", ";"),
    ("saved-without-time", FRAME_SAVED, "record_u64(r, &t->at_ns);", ""),
    ("loaded-bytes-unshared", FRAME_SAVED, "seen ? shared->buffer : NULL", "NULL"),
    ("queue-loses-count", DIRECTION, "	d->count.queued--;\n", ""),
]

# Which of them are mistakes in what a word does; or why there is none.  `ctest -R fault_words`
# asks that of every word.
OF_WORD = {
    "profile": "no model: it is other words",
    "loss": ["loss-at-p", "gemodel-p-and-r-swapped", "state-p14-forgotten", "every-off-by-one",
             "list-upside-down"],
    "drop-first": ["drop-first-one-too-many", "drop-first-stops-the-chain"],
    "delay": ["delays-do-not-add"], "jitter": ["uniform-half-open", "uniform-not-centred"],
    "correlation": ["correlation-forgets", "correlation-as-netem"],
    "distribution": ["normal-is-exponential", "paretonormal-scale", "quantile-sides"],
    "order": ["order-not-kept"], "reorder": ["gap-never-reset"], "gap": ["gap-off-by-one"],
    "rate": ["rate-drifts", "rate-early", "rate-idle-saves-up"],
    "overhead": "a sum: test_fault_line has the numbers", "cell": ["cells-rounded-down"],
    "capacity": ["capacity-saves-up", "capacity-not-shared", "capacity-period"],
    "limit": ["limit-off-by-one", "limit-bytes-flipped"],
    "queue": ["random-drops-in-vain", "red-not-uniform", "codel-first-drop-late"],
    "ecn": ["mark-not-ect", "mark-v6-class", "mark-old-checksum"],
    "slot": ["slot-frames-off-by-one", "slot-negative"], "clog": ["clog-forgotten"],
    "hold": ["hold-not-lifted"], "duplicate": ["copies-draw-alike", "copies-uncounted"],
    "duplicate-count": ["one-copy-too-many"], "replay": ["replay-at-once"],
    "corrupt": ["last-bit-never", "bit-order"], "corrupt-bits": ["all-bits-the-same"],
    "corrupt-at": ["bit-order"], "corrupt-mode": ["fcs-delivered", "repair-without-header"],
    "mtu-drop": ["mtu-off-by-one", "mtu-counts-the-tag"],
    "states": ["states-next-flipped", "states-late"], "flap": ["flap-upside-down"],
    "carrier": ["carrier-unasked", "carrier-looks-too-late"],
    "down": ["states-down-only-when-offered"],
    "match": ["filter-ignored"], "after": ["after-off-by-one"], "first": ["first-off-by-one"],
    "apply": ["apply-flipped"], "when": ["cycle-end-flipped", "cycle-phase-forgotten"],
    "in": ["states-of-no-rule"], "until": ["until-flipped"],
    "for": "it is an until",
}


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, **more)


class Build:
    """What the mutants are linked with."""

    def __init__(self, path):
        self.path = path
        self.compiler = os.environ.get("CC", "gcc")
        libs = {p.name: str(p) for p in path.rglob("*.a")}
        missing = [n for n in ("libnl_linkfault.a", "libtest_fault_rig.a", "libtest_sim.a")
                   if n not in libs]
        if missing:
            sys.exit(f"mutate: {path} has no {', '.join(missing)}: build it first")
        order = ["test_fault_rig", "test_sim", "test_damaged", "nl_topology", "nl_plan", "nl_faultwords", "nl_partition",
                 "nl_switch", "nl_linkfault", "nl_clock", "nl_base"]
        self.libs = [libs[f"lib{name}.a"] for name in order if f"lib{name}.a" in libs]
        self.libs += ["-ljansson", "-lpcap", "-lcmocka", "-lm"]

    def test_object(self, test):
        found = list((self.path / "tests/CMakeFiles" / f"{test}.dir").rglob("*.o"))
        if len(found) != 1:
            sys.exit(f"mutate: the object of {test} is not there: build it first")
        return str(found[0])


def sources_of(name):
    """What has to be compiled anew when a file changes: a header's users."""
    if name.endswith(".c"):
        return [name]
    users = []
    for source in sorted((ROOT / "src/linkfault").glob("*.c")):
        text = source.read_text()
        if any(f'"linkfault/{header}"' in text
               for header in (pathlib.Path(name).name, "loss.h", "delay.h", "line.h")):
            users.append(str(source.relative_to(ROOT / "src")))
    return users


def compile_mutant(build, folder, name, text):
    """The objects that differ, or None and the compiler's words."""
    mutated = folder / "src" / name
    mutated.parent.mkdir(parents=True, exist_ok=True)
    mutated.write_text(text)
    objects = []
    for source in sources_of(name):
        place = mutated if source == name else ROOT / "src" / source
        objects.append(str(folder / (source.replace("/", "_") + ".o")))
        done = run([build.compiler, "-std=gnu11", "-O1", "-w", "-D_GNU_SOURCE",
                    f"-I{folder}/src", f"-I{ROOT}/src", "-c", str(place), "-o", objects[-1]])
        if done.returncode:
            return None, done.stdout
    return objects, ""


def caught_by(build, folder, name, objects):
    """The test that fails; None: there is none."""
    for test in TESTS[name.split("/", maxsplit=1)[0]]:
        program = str(folder / test)
        linked = run([build.compiler, "-o", program, build.test_object(test), *objects,
                      "-Wl,--start-group", *build.libs, "-Wl,--end-group"])
        if linked.returncode:
            return f"link: {linked.stdout[-300:]}"
        try:
            if run([program], timeout=SECONDS_MAX).returncode:
                return test
        except subprocess.TimeoutExpired:
            return f"{test} (without end)"
        finally:
            os.unlink(program)
    return None


def try_one(build, mutation):
    """Was it caught, and a line that says what became of it."""
    name, file, there, instead = mutation
    text = (ROOT / "src" / file).read_text()
    if text.count(there) < 1:
        return False, f"{name}: {file} has no {there!r}"
    with tempfile.TemporaryDirectory(prefix="netlab-mutation-") as path:
        folder = pathlib.Path(path)
        objects, error = compile_mutant(build, folder, file, text.replace(there, instead, 1))
        if objects is None:
            return False, f"{name}: does not compile: {error[:300]}"
        test = caught_by(build, folder, file, objects)
    if test is None:
        return False, f"{name}: no test sees it"
    return not test.startswith("link:"), f"{name}: {test}"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n", maxsplit=1)[0])
    build = Build(pathlib.Path(sys.argv[1]))
    wanted = set(sys.argv[2:])
    unknown = wanted - {m[0] for m in MUTATIONS}
    if unknown:
        sys.exit(f"mutate: no mutation {', '.join(sorted(unknown))}")
    # What is caught must not be what fails anyway.
    for file in FAULT, DIRECTION:
        good, line = try_one(build, ("none", file, "#include", "#include"))
        if good or "no test sees it" not in line:
            sys.exit(f"mutate: without any mutation: {line}")
    missed = 0
    for mutation in MUTATIONS:
        if wanted and mutation[0] not in wanted:
            continue
        good, line = try_one(build, mutation)
        missed += not good
        print(("caught  " if good else "MISSED  ") + line, flush=True)
    print(f"{len(wanted or MUTATIONS) - missed} caught, {missed} missed")
    sys.exit(1 if missed else 0)


main()
