/* SPDX-License-Identifier: MIT */
#include "run/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/rundir.h"

#define JOURNAL_BYTES_MAX (UINT64_C(1) << 30)
/* A logfile is full somewhat below this, and says so in its last line. */
#define LOG_BYTES_SURE ((size_t)LOGFILE_BYTES_MAX - (64 << 10))

/* ---- files ---------------------------------------------------------------------------- */

/* *bytes NULL and 0: it is empty, or not there. */
static int map(const struct recorded *recorded, const char *name, void **bytes,
	       size_t *size, struct why *why)
{
	char path[PATH_MAX + NAME_MAX];
	cleanup_close int fd = -1;
	struct stat st;

	*bytes = NULL;
	*size = 0;
	snprintf(path, sizeof(path), "%s/%s", recorded->path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return why_errno(why, -errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EINVAL, "%s: not a regular file", path);
	if (!st.st_size)
		return 0;
	*bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (*bytes == MAP_FAILED) {
		*bytes = NULL;
		return why_errno(why, -errno, "%s", path);
	}
	*size = (size_t)st.st_size;
	return 0;
}

static int map_stream(struct recorded *recorded, const char *name,
		      const json_t *digest, struct recorded_stream *out, struct why *why)
{
	const json_t *counts =
		json_object_get(json_object_get(digest, "streams"), name);
	void *bytes;
	int err = map(recorded, name, &bytes, &out->mapped, why);

	out->bytes = bytes;
	out->size = out->mapped;
	if (out->size > LOG_BYTES_SURE)
		out->size = LOG_BYTES_SURE;
	if (json_is_integer(counts) && (size_t)json_integer_value(counts) <= out->size) {
		out->size = (size_t)json_integer_value(counts);
		out->all = true;
	} else if (!err && json_is_integer(counts) && out->size < LOG_BYTES_SURE) {
		out->cut = true;
		whole_lacks(&recorded->whole, "%s has %zu of %lld bytes", name, out->size,
			    (long long)json_integer_value(counts));
	}
	return err;
}

static int map_streams(struct recorded *recorded, const struct plan *plan,
		       const json_t *digest, struct why *why)
{
	char name[NAME_MAX];
	uint32_t logs = 0;
	int err = 0;

	recorded->node_count = (uint32_t)plan->node_count;
	recorded->first_log = calloc(plan->node_count + 1, sizeof(*recorded->first_log));
	recorded->consoles = calloc(plan->node_count + 1, sizeof(*recorded->consoles));
	for (size_t n = 0; n < plan->node_count; n++)
		logs += (uint32_t)plan->nodes[n].service_count;
	recorded->logs = calloc(logs + 1, sizeof(*recorded->logs));
	if (!recorded->first_log || !recorded->consoles || !recorded->logs)
		return why_set(why, -ENOMEM, "%s: out of memory", recorded->path);
	logs = 0;
	for (size_t n = 0; !err && n < plan->node_count; n++) {
		const struct plan_node *node = &plan->nodes[n];

		recorded->first_log[n] = logs;
		snprintf(name, sizeof(name), "consoles/%s.log", node->name);
		err = map_stream(recorded, name, digest, &recorded->consoles[n], why);
		for (size_t s = 0; !err && s < node->service_count; s++) {
			snprintf(name, sizeof(name), "logs/%s.%s.log", node->name,
				 node->services[s].name);
			err = map_stream(recorded, name, digest, &recorded->logs[logs++],
					 why);
		}
	}
	recorded->first_log[plan->node_count] = logs;
	return err;
}

static int map_frames(struct recorded *recorded, const json_t *digest, struct why *why)
{
	const json_t *count = json_object_get(digest, "frame_count");
	const struct recording_head *head;
	int err = map(recorded, "frames.bin", &recorded->frames_map,
		      &recorded->frames_bytes, why);

	if (err)
		return err;
	head = recorded->frames_map;
	if (recorded->frames_bytes < sizeof(*head) ||
	    memcmp(head->magic, RECORDING_MAGIC, sizeof(head->magic)) != 0 ||
	    head->record_bytes != sizeof(struct frame_record))
		return why_set(why, -EINVAL,
			       "%s/frames.bin: it is not there, or not of this netlab's "
			       "making",
			       recorded->path);
	recorded->frames = (const void *)(head + 1);
	recorded->frame_count = (recorded->frames_bytes - sizeof(*head)) /
				sizeof(struct frame_record);
	recorded->frames_all =
		json_is_integer(count) &&
		(uint64_t)json_integer_value(count) == recorded->frame_count;
	if ((recorded->frames_bytes - sizeof(*head)) % sizeof(struct frame_record))
		whole_lacks(&recorded->whole, "frames.bin breaks off within frame %llu",
			    (unsigned long long)recorded->frame_count);
	else if (json_is_integer(count) && recorded->frame_count < RECORDING_FRAMES_MAX &&
		 recorded->frame_count < (uint64_t)json_integer_value(count))
		whole_lacks(&recorded->whole, "frames.bin has %llu of %lld frames",
			    (unsigned long long)recorded->frame_count,
			    (long long)json_integer_value(count));
	return 0;
}

/* ---- the journal ----------------------------------------------------------------------- */

static int add_entry(struct recorded *recorded, const char *text, uint64_t at_ns)
{
	size_t n = recorded->entry_count;
	struct recorded_entry *grown = recorded->entries;

	/* It doubles when it is full. */
	if (!(n & (n - 1)))
		grown = reallocarray(recorded->entries, n ? 2 * n : 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	recorded->entries = grown;
	recorded->entries[recorded->entry_count++] = (struct recorded_entry){
		.at_ns = at_ns, .text = text, .size = strlen(text)
	};
	return 0;
}

static int add_input(struct recorded *recorded, json_t *entry, uint64_t at_ns,
		     struct why *why)
{
	size_t n = recorded->input_count;
	struct recorded_input *grown = recorded->inputs;

	if (!json_is_string(json_object_get(entry, "do")))
		return why_set(why, -EINVAL,
			       "%s/journal.jsonl: an input at %llu ns was too long to be "
			       "kept; the run cannot be repeated",
			       recorded->path, (unsigned long long)at_ns);
	if (!(n & (n - 1)))
		grown = reallocarray(recorded->inputs, n ? 2 * n : 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	recorded->inputs = grown;
	recorded->inputs[recorded->input_count++] =
		(struct recorded_input){ .at_ns = at_ns, .entry = json_incref(entry) };
	return 0;
}

static int add_line(struct recorded *recorded, const char *line, struct why *why)
{
	const char *counts = digest_line(line),
		   *event = counts ? strstr(counts, "\"event\":\"") : NULL;
	unsigned long long at_ns = 0;
	json_t *entry;
	int err;

	if (!counts || sscanf(counts, "\"t\":%llu", &at_ns) != 1)
		return 0;
	err = add_entry(recorded, counts, at_ns);
	if (err || strncmp(event, "\"event\":\"input\"", 15) != 0)
		return err;
	entry = json_loads(line, 0, NULL);
	err = entry ? add_input(recorded, entry, at_ns, why)
		    : why_set(why, -EINVAL, "%s/journal.jsonl: no JSON: %.60s",
			      recorded->path, line);
	json_decref(entry);
	return err;
}

/* A line becomes a text.  False: its end is that of the file. */
static bool cut_at(char *end)
{
	bool ended = *end == '\n';

	*end = 0;
	return ended;
}

static bool is_lab_that_is(const char *line, const char *state)
{
	const char *to = strstr(line, "\"event\":\"lab\"") ? strstr(line, "\"to\":\"") : NULL;

	return to && !strncmp(to + 6, state, strlen(state));
}

static bool is_graceful_end(const char *line)
{
	return strstr(line, "\"event\":\"input\"") && strstr(line, "\"do\":\"down\"");
}

/* Where a run without its digest.json ends: what is done to end it by force is no part of
 * it.  One that came to its end has lost that file. */
struct end_seen {
	bool asked, forced;
};

static void look_for_end(struct end_seen *seen, struct recorded *recorded, const char *line)
{
	if (is_lab_that_is(line, "stopping") && !seen->asked)
		seen->forced = true;
	seen->asked |= is_graceful_end(line);
	if (is_lab_that_is(line, "gone"))
		whole_lacks(&recorded->whole, "digest.json, with which a run ends, could not "
					      "be written or read");
}

static int read_journal(struct recorded *recorded, const json_t *digest, struct why *why)
{
	const json_t *count = json_object_get(digest, "entry_count");
	size_t size, limit = json_is_integer(count) ? (size_t)json_integer_value(count)
						    : SIZE_MAX;
	char path[PATH_MAX + NAME_MAX], *line, *end;
	struct end_seen seen = { 0 };
	int err;

	snprintf(path, sizeof(path), "%s/journal.jsonl", recorded->path);
	err = fdio_read_file(AT_FDCWD, path, JOURNAL_BYTES_MAX, &recorded->journal, &size,
			     why);
	for (line = recorded->journal;
	     !err && *line && recorded->entry_count < limit && !recorded->whole.gap;
	     line = end + 1) {
		end = strchrnul(line, '\n');
		if (!whole_line(&recorded->whole, line, cut_at(end)))
			break;
		if (limit == SIZE_MAX)
			look_for_end(&seen, recorded, line);
		if (!seen.forced)
			err = add_line(recorded, line, why);
	}
	if (!err && limit != SIZE_MAX && recorded->entry_count < limit) {
		whole_lacks(&recorded->whole, "journal.jsonl has %zu of %zu entries",
			    recorded->entry_count, limit);
		recorded->whole.gap = true;
	}
	if (err == -ENOMEM)
		return why_set(why, err, "%s: out of memory", path);
	return err;
}

/* Nothing counts that may be the work of what is missing. */
static void end_at_gap(struct recorded *recorded)
{
	uint64_t end_ns = recorded->whole.until_ns;

	recorded->ended = recorded->frames_all = false;
	*recorded->digest = 0;
	recorded->end_ns = end_ns;
	while (recorded->frame_count &&
	       recorded->frames[recorded->frame_count - 1].at_ns > end_ns)
		recorded->frame_count--;
	for (uint32_t n = 0; n < recorded->node_count; n++)
		recorded->consoles[n].all = false;
	for (uint32_t l = 0; l < recorded->first_log[recorded->node_count]; l++)
		recorded->logs[l].all = false;
}

/* ---- all of it -------------------------------------------------------------------------- */

static void find_end(struct recorded *recorded, const json_t *digest)
{
	const json_t *now = json_object_get(digest, "now_ns");
	const char *all = json_string_value(json_object_get(digest, "all"));
	uint64_t entry_ns = 0, frame_ns = 0;

	if (json_is_integer(now) && all) {
		recorded->ended = true;
		recorded->end_ns = (uint64_t)json_integer_value(now);
		snprintf(recorded->digest, sizeof(recorded->digest), "%s", all);
		return;
	}
	if (recorded->entry_count)
		entry_ns = recorded->entries[recorded->entry_count - 1].at_ns;
	if (recorded->frame_count)
		frame_ns = recorded->frames[recorded->frame_count - 1].at_ns;
	recorded->end_ns = entry_ns > frame_ns ? entry_ns : frame_ns;
}

static int read_all(struct recorded *recorded, const struct plan *plan, struct why *why)
{
	char path[PATH_MAX + NAME_MAX];
	json_t *digest;
	void *bytes;
	int err;

	snprintf(path, sizeof(path), "%s/digest.json", recorded->path);
	digest = json_load_file(path, 0, NULL);
	whole_digest(&recorded->whole, digest);
	err = read_journal(recorded, digest, why);
	if (!err)
		err = map_frames(recorded, digest, why);
	if (!err)
		err = map_streams(recorded, plan, digest, why);
	if (!err) {
		err = map(recorded, "stdin.bin", &bytes, &recorded->stdin_bytes.mapped,
			  why);
		recorded->stdin_bytes.bytes = bytes;
		recorded->stdin_bytes.size = recorded->stdin_bytes.mapped;
	}
	if (!err)
		find_end(recorded, digest);
	if (!err && recorded->whole.gap)
		end_at_gap(recorded);
	json_decref(digest);
	return err;
}

int recorded_read(struct recorded **out, const char *run_dir, const struct plan *plan,
		  struct why *why)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	int err;

	if (!recorded)
		return why_set(why, -ENOMEM, "%s: out of memory", run_dir);
	snprintf(recorded->path, sizeof(recorded->path), "%s", run_dir);
	err = read_all(recorded, plan, why);
	if (err) {
		recorded_free(recorded);
		return err;
	}
	*out = recorded;
	return 0;
}

static void unmap(const struct recorded_stream *stream)
{
	if (stream->mapped)
		munmap((void *)stream->bytes, stream->mapped);
}

void recorded_free(struct recorded *recorded)
{
	if (!recorded)
		return;
	for (size_t i = 0; i < recorded->input_count; i++)
		json_decref(recorded->inputs[i].entry);
	for (uint32_t n = 0; recorded->consoles && n < recorded->node_count; n++)
		unmap(&recorded->consoles[n]);
	for (uint32_t l = 0; recorded->first_log && recorded->logs &&
			     l < recorded->first_log[recorded->node_count];
	     l++)
		unmap(&recorded->logs[l]);
	unmap(&recorded->stdin_bytes);
	if (recorded->frames_bytes)
		munmap(recorded->frames_map, recorded->frames_bytes);
	free(recorded->journal);
	free(recorded->entries);
	free(recorded->inputs);
	free(recorded->consoles);
	free(recorded->logs);
	free(recorded->first_log);
	free(recorded);
}
