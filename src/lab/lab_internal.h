/* SPDX-License-Identifier: MIT */
/* lab_internal.h - the running lab, as its own files see it
 *
 * For lab.c (starting the process), lab_main.c (being it), lab_life.c (bringing
 * machines up and down) and verbs_*.c (what clients ask for); others use lab.h.
 *
 *   BOOTING ──all ready──► RUNNING ──lab_stop()──► STOPPING ──all gone──► GONE
 *      └────────a machine failed, lab_stop()──────────┘
 */
#ifndef NL_LAB_LAB_INTERNAL_H
#define NL_LAB_LAB_INTERNAL_H

#include "base/loop.h"
#include "clock/clock.h"
#include "clock/turns.h"
#include "control/control.h"
#include "run/digest.h"
#include "fabric/fabric.h"
#include "run/inputs.h"
#include "lab/lab.h"
#include "machine/machine.h"
#include "run/frame_recorder.h"
#include "lab/rerun.h"
#include "run/rundir.h"
#include "run/state.h"
#include "fabric/talkers.h"
#include "lab/supplies.h"
#include "node/node.h"

/* Why captures end when nothing is wrong. */
#define LAB_TAKEN_DOWN "the lab was taken down"

enum lab_phase { LAB_BOOTING, LAB_RUNNING, LAB_STOPPING, LAB_GONE };

/* What a request can be woken by. */
enum { WAKE_PROGRESS = 1, WAKE_JOURNAL = 2, WAKE_CONSOLE = 4, WAKE_CLOCK = 8,
       WAKE_RERUN = 16, WAKE_SLOW = 32 };

struct lab {
	/* Given before lab_build(). */
	const struct plan *plan;
	char name[PLAN_NAME_BYTES_MAX];
	const char *known_as; /* to its machines; NULL: by its name */
	uint64_t seed;
	bool seed_drawn;
	uint32_t boots_at_once;
	bool virtual_time, serial;
	uint64_t pace_ppm;
	uint64_t epoch_s; /* what day virtual time begins with */
	uint32_t guard_s;
	struct loop *loop;
	struct turns *turns; /* NULL: none (tests) */
	struct clock *clock;
	struct clock *host;  /* the host's; clock itself in real time */
	struct vtime *vtime; /* NULL: real time */
	int journal_fd;				  /* taken over; -1: none */
	struct machine_env env;			  /* but for what lab_build() makes */
	const struct kernel *const *kernels; /* by node; NULL: never started */
	struct state *state;			  /* NULL: none (tests) */
	struct state_info info;
	struct rundir run;
	const struct rerun_config *rerun_config; /* NULL: it is no replay */
	const char *capture_target; /* recorded from the first frame on; NULL: nothing */

	/* Made by lab_build(). */
	struct journal *journal;
	struct fabric fabric;
	struct digest *digest; /* NULL: real time */
	struct inputs *inputs; /* NULL: real time */
	struct frame_recorder *frames; /* NULL: real time, or no run directory */
	struct rerun *rerun;	       /* NULL: it is no replay */
	struct talkers *talkers;       /* NULL: real time */
	struct supplies *supplies;
	struct clearing *clearings;	/* that are under way */
	struct fault_files fault_files; /* of the request that is served; real time */
	struct control *control;
	struct machine **machines; /* by node */

	/* Life. */
	enum lab_phase phase;
	struct deferred advance;
	struct timer advance_due;   /* in virtual time */
	struct timer stop_patience; /* of STOPPING */
	uint64_t ready_ns;	    /* lab time; 0: not yet */
	uint64_t changes;	    /* grows with everything that `wait` tells */
	const char *last_node;	    /* the latest change */
	char last_what[96];
	char trouble[160]; /* lab/trouble.h; "": none */
	char locked[160];  /* likewise, as long as it is so */
	int digest_error;  /* 0, or why digest.json is not there */
	struct machine *failed; /* why the boot failed; NULL: it did not */
	bool failure_told;
	bool boot_wants;	 /* virtual time to pass */
	bool gate_waits;	 /* for the end of the replay */
	bool killed;		 /* all machines, on the way down */
	struct vtime_input gate; /* clients wait for their commands to be inputs */
	struct vtime_input stop_gate;
	struct {
		struct machine *machine; /* NULL: none */
		const char *doing;
		struct timer due; /* of host: it has been waited for long enough */
	} stuck; /* in virtual time: who does not go on, while it is asked where it is */
	struct {
		bool asked; /* its answer is waited for, until it is due */
		bool told;  /* in the journal, since time was last not slow */
		struct timer due;
		struct vtime_slowness what;
		uint64_t frames; /* that links carried meanwhile, */
		char links[TALKERS_TEXT_BYTES]; /* most of them these */
		uint64_t times; /* that was so, from the beginning */
		char text[1024];
		json_t *json; /* as in the journal; NULL: it is not slow */
	} slow;		      /* in virtual time: who makes it so */
};

/* lab_vtime.c: in virtual time only, but for lab_vtime_create(). */
int lab_vtime_create(struct lab *lab, struct why *why);
int lab_vtime_keep(struct lab *lab, struct why *why); /* inputs and frames */
void lab_vtime_attach(struct lab *lab); /* to the control socket */
/* The run ends here: what it was goes to its run directory, as digest.json. */
void lab_vtime_seal(struct lab *lab);
void lab_vtime_journal(struct lab *lab); /* an entry was added */
void lab_vtime_unwant_boot(struct lab *lab);
void lab_vtime_let_in(struct lab *lab); /* who waited for the end of the replay */
void lab_vtime_go_down(struct lab *lab); /* gracefully, as an input */
void lab_vtime_phase(struct lab *lab, enum lab_phase from, enum lab_phase to);

/* lab_stuck.c: of struct vtime_ops; and what a machine says that was asked. */
struct backtrace;
void lab_stuck_found(void *ctx, uint32_t guest, const char *doing);
void lab_slow_found(void *ctx, const struct vtime_slowness *slow);
void lab_slow_window(void *ctx);
void lab_stuck_answer(struct lab *lab, struct machine *machine,
		      const struct backtrace *where);
void lab_stuck_detach(struct lab *lab);

/* lab_life.c */
int lab_build(struct lab *lab, struct why *why);
void lab_unbuild(struct lab *lab);
void lab_boot(struct lab *lab);
/* Bring everything down; graceful: ask the machines first. */
void lab_stop(struct lab *lab, bool graceful, const char *reason);
const char *lab_phase_name(enum lab_phase phase);
/* As `wait` and `ps` count them. */
struct lab_count {
	unsigned booted, nodes, gone, ready, services;
};
struct lab_count lab_count(const struct lab *lab);
/* Does it take long to tell of it?  ctx is the lab. */
bool lab_is_large(void *ctx);
/* By the member "node" of a request. */
int lab_machine(const struct lab *lab, const json_t *body, struct machine **out,
		struct why *why);

/* verbs.c */
extern const struct verb lab_verbs[];
extern const size_t lab_verb_count;

#endif
