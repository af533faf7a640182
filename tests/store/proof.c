/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/proof.h"

#include "event/build.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "EVLSEQ:"
#define MARK_LEN 7
#define KINDS_MAX 64

const char *const proof_channels[PROOF_CHANNELS] = {"Kept", "Trimmed",
						    "Erased"};

/* ---------------------------------------------------------------- events */

/*
 * The kind is a number of data, and so a template of its own; the last one is
 * padded with a text.
 */
everr_t proof_event(struct buf *out, const char *channel, uint64_t seq,
		    unsigned int kind, size_t pad)
{
	static const char names[KINDS_MAX][4] = {"Seq"};
	const struct event_system system = {
		.provider = "Proof",
		.event_id = (uint16_t)kind,
		.level = 4,
		.time_created = 133000000000000000ULL + seq,
		.channel = channel,
		.computer = "proof.example",
	};
	uint8_t mark[MARK_LEN + 8] = MARK;
	uint8_t text[2 * 1024];
	struct event_data data[KINDS_MAX + 1];
	size_t num_data = 1 + kind % KINDS_MAX;
	size_t i;

	le64_set(mark + MARK_LEN, seq);
	for (i = 0; i < sizeof(text); i += 2) {
		le16_set(text + i, (uint16_t)('a' + (seq + i) % 26));
	}
	data[0] = (struct event_data){
		.name = names[0],
		.type = EVENT_TYPE_BINARY,
		.value = mark,
		.len = sizeof(mark),
	};
	for (i = 1; i <= num_data; i++) {
		data[i] = (struct event_data){
			.name = "Text",
			.type = EVENT_TYPE_STRING,
			.value = text,
			.len = i == num_data ? 2 * (pad % 1024) : 2,
		};
	}
	return event_build(out, &system, data, num_data + 1);
}

bool proof_seq(const struct store_record *record, uint64_t *ret_seq)
{
	const uint8_t *end = record->data + record->len;
	const uint8_t *mark = NULL;

	mark = memmem(record->data, record->len, MARK, MARK_LEN);
	if (mark == NULL || end - mark < MARK_LEN + 8) {
		return false;
	}
	*ret_seq = le64_get(mark + MARK_LEN);
	return true;
}

/* --------------------------------------------------------------- account */

static bool range_add(TALLOC_CTX *mem_ctx, struct proof_ranges *ranges,
		      const struct proof_range *range)
{
	struct proof_range *more = NULL;

	more = talloc_realloc(mem_ctx, ranges->ranges, struct proof_range,
			      ranges->num + 1);
	if (more == NULL) {
		return false;
	}
	ranges->ranges = more;
	ranges->ranges[ranges->num++] = *range;
	return true;
}

/* Four numbers after a letter. */
static bool line_parse(const char *line, uint64_t numbers[4])
{
	const char *p = line + 1;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		char *end = NULL;

		numbers[i] = strtoull(p, &end, 10);
		if (end == p) {
			return false;
		}
		p = end;
	}
	return *p == '\0' || *p == '\n';
}

static bool erasure_add(TALLOC_CTX *mem_ctx, struct proof_account *account,
			uint64_t last_id)
{
	uint64_t *more = NULL;

	more = talloc_realloc(mem_ctx, account->erasures, uint64_t,
			      account->num_erasures + 1);
	if (more == NULL) {
		return false;
	}
	account->erasures = more;
	account->erasures[account->num_erasures++] = last_id;
	return true;
}

bool proof_account_line(TALLOC_CTX *mem_ctx, struct proof_account *account,
			const char *line)
{
	struct proof_range range = {};
	uint64_t numbers[4];

	if (strchr("AFBC", line[0]) == NULL || !line_parse(line, numbers) ||
	    numbers[0] >= PROOF_CHANNELS) {
		return false;
	}
	if (line[0] == 'B') {
		return erasure_add(mem_ctx, account, numbers[1]);
	}
	if (line[0] == 'C') {
		account->erased = numbers[1];
		return true;
	}
	range.first_seq = numbers[2];
	range.count = numbers[3];
	if (line[0] == 'F') {
		return range_add(mem_ctx, &account->failed[numbers[0]], &range);
	}
	range.first_id = numbers[1];
	return range_add(mem_ctx, &account->acked[numbers[0]], &range);
}

uint64_t proof_account_count(const struct proof_ranges *ranges)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < ranges->num; i++) {
		count += ranges->ranges[i].count;
	}
	return count;
}

/* ------------------------------------------------------------ comparison */

static bool seq_failed(const struct proof_ranges *failed, uint64_t seq)
{
	size_t i;

	for (i = 0; i < failed->num; i++) {
		const struct proof_range *range = &failed->ranges[i];

		if (seq >= range->first_seq &&
		    seq - range->first_seq < range->count) {
			return true;
		}
	}
	return false;
}

/* The walk through one channel, with the place in the account. */
struct compare {
	struct store_snapshot *snapshot;
	struct store_channel *channel;
	const struct proof_ranges *acked;
	const struct proof_ranges *failed;
	size_t range;
	uint64_t in_range;
	struct proof_outcome *outcome;
};

/* The id that was acknowledged next; 0: no more. */
static uint64_t next_acked(struct compare *compare, uint64_t *ret_seq)
{
	const struct proof_range *range = NULL;

	if (compare->range == compare->acked->num) {
		return 0;
	}
	range = &compare->acked->ranges[compare->range];
	*ret_seq = range->first_seq + compare->in_range;
	return range->first_id + compare->in_range;
}

static void step_acked(struct compare *compare)
{
	compare->in_range++;
	if (compare->in_range == compare->acked->ranges[compare->range].count) {
		compare->range++;
		compare->in_range = 0;
	}
}

/* Acknowledged ids before id are not there. */
static void count_lost(struct compare *compare, uint64_t id, uint64_t oldest)
{
	uint64_t seq = 0;
	uint64_t acked;

	for (acked = next_acked(compare, &seq); acked != 0 && acked < id;
	     acked = next_acked(compare, &seq)) {
		if (acked >= oldest) {
			compare->outcome->lost++;
		}
		step_acked(compare);
	}
}

static void compare_record(struct compare *compare,
			   const struct store_record *record, uint64_t oldest,
			   uint64_t *last_seq)
{
	struct proof_outcome *outcome = compare->outcome;
	uint64_t wanted = 0;
	uint64_t seq = 0;

	outcome->records++;
	if (!proof_seq(record, &seq)) {
		outcome->changed++;
		return;
	}
	outcome->repeated += seq <= *last_seq;
	*last_seq = seq;
	outcome->failed += seq_failed(compare->failed, seq);

	count_lost(compare, record->id, oldest);
	if (next_acked(compare, &wanted) == record->id) {
		outcome->changed += wanted != seq;
		step_acked(compare);
	}
}

/* The state says which event it was committed with: the last one. */
static void compare_state(TALLOC_CTX *mem_ctx, struct store *store,
			  const char *name, uint64_t last_seq,
			  struct proof_outcome *outcome)
{
	char *state_name = talloc_asprintf(mem_ctx, "proof/%s", name);
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = store_state_get(mem_ctx, store, state_name, &data, &len);
	if (err != EVERR_OK || len != 8) {
		outcome->torn += last_seq != 0;
	} else if (last_seq != 0) {
		outcome->torn += le64_get(data) != last_seq;
	}
	talloc_free(data);
	talloc_free(state_name);
}

/*
 * The first id that must be there: behind the last erasure that may have been
 * carried out, given what is there.  None of them is ever half done, and those
 * that were answered are.
 */
static uint64_t after_erasures(const struct proof_account *account,
			       uint64_t oldest, uint64_t next_id,
			       struct proof_outcome *outcome)
{
	uint64_t first = oldest != 0 ? oldest : next_id;
	uint64_t after = 1;
	size_t i;

	for (i = 0; i < account->num_erasures; i++) {
		if (account->erasures[i] < first) {
			after = account->erasures[i] + 1;
		}
	}
	outcome->undead += first <= account->erased;
	return after;
}

static void compare_channel(struct compare *compare,
			    const struct proof_account *account,
			    unsigned int number, uint64_t *ret_last_seq)
{
	struct store_record record = {};
	uint64_t oldest = 0;
	uint64_t next_id = 0;
	uint64_t last_seq = 0;
	uint64_t id;
	everr_t err;

	store_bounds(compare->snapshot, compare->channel, &oldest, &next_id);
	if (number == PROOF_KEPT) {
		oldest = 1;
	} else if (number == PROOF_ERASED) {
		oldest = after_erasures(account, oldest, next_id,
					compare->outcome);
	} else if (oldest == 0) {
		oldest = next_id;
	}
	for (id = 1;; id = record.id + 1) {
		err = store_read(compare->snapshot, compare->channel, id, false,
				 &record);
		if (err == EVERR_STORE_CORRUPT) {
			continue;
		}
		if (err != EVERR_OK) {
			break;
		}
		compare_record(compare, &record, oldest, &last_seq);
	}
	count_lost(compare, UINT64_MAX, oldest);
	*ret_last_seq = last_seq;
}

/* Acknowledged events of a channel that is not there, and should be. */
static uint64_t lost_with(const struct proof_account *account,
			  unsigned int number)
{
	const struct proof_ranges *acked = &account->acked[number];
	uint64_t after = 0;
	uint64_t lost = 0;
	size_t i;

	if (number == PROOF_ERASED && account->num_erasures > 0) {
		after = account->erasures[account->num_erasures - 1];
	}
	for (i = 0; i < acked->num; i++) {
		lost += acked->ranges[i].first_id > after
				? acked->ranges[i].count
				: 0;
	}
	return lost;
}

static void compare_all(TALLOC_CTX *mem_ctx, struct store *store,
			const struct proof_account *account,
			struct proof_outcome *outcome)
{
	struct store_snapshot *snapshot = NULL;
	uint64_t last_seq = 0;
	unsigned int i;

	outcome->err = store_snapshot_begin(store, &snapshot);
	if (outcome->err != EVERR_OK) {
		return;
	}
	for (i = 0; i < PROOF_CHANNELS; i++) {
		struct compare compare = {
			.snapshot = snapshot,
			.acked = &account->acked[i],
			.failed = &account->failed[i],
			.outcome = outcome,
		};
		everr_t err;

		err = store_channel_find(store, proof_channels[i],
					 &compare.channel);
		if (err != EVERR_OK) {
			outcome->lost += lost_with(account, i);
			continue;
		}
		compare_channel(&compare, account, i, &last_seq);
		compare_state(mem_ctx, store, proof_channels[i], last_seq,
			      outcome);
	}
	store_snapshot_end(snapshot);
}

void proof_compare(TALLOC_CTX *mem_ctx, const char *dir,
		   const struct proof_account *account,
		   struct proof_outcome *ret_outcome)
{
	struct proof_outcome outcome = {};
	struct tevent_context *ev = NULL;
	struct store_options options;
	struct store *store = NULL;
	unsigned int i;

	ev = tevent_context_init(mem_ctx);
	proof_options(dir, &options);
	options.read_only = true;
	outcome.err = store_open(mem_ctx, ev, &options, &store);
	if (outcome.err == EVERR_OK) {
		compare_all(mem_ctx, store, account, &outcome);
	} else {
		/* Nothing can be read, so nothing is there. */
		for (i = 0; i < PROOF_CHANNELS; i++) {
			outcome.lost += proof_account_count(&account->acked[i]);
		}
	}
	talloc_free(store);
	talloc_free(ev);
	*ret_outcome = outcome;
}

static void keep_first_error(enum store_verify_level level, const char *where,
			     const char *what, void *private_data)
{
	char *text = private_data;

	if (level == STORE_VERIFY_ERROR && text[0] == '\0') {
		snprintf(text, 256, "%s: %s", where, what);
	}
}

uint64_t proof_verify(TALLOC_CTX *mem_ctx, const char *dir, char text[256],
		      everr_t *ret_err)
{
	struct store_verify_result result = {};

	text[0] = '\0';
	*ret_err = store_verify(mem_ctx, dir, keep_first_error, NULL, text,
				&result);
	return result.errors;
}

/* ----------------------------------------------------------------- files */

void proof_options(const char *dir, struct store_options *ret_options)
{
	*ret_options = (struct store_options){.path = dir};
	store_limits_default(&ret_options->limits);
	ret_options->limits.map_size = 1 << 30;
	ret_options->limits.disk_reserve = 0;
}

char *proof_dir(TALLOC_CTX *mem_ctx)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = NULL;

	dir = talloc_asprintf(mem_ctx, "%s/evenlog.XXXXXX",
			      tmp != NULL ? tmp : "/tmp");
	if (dir == NULL || mkdtemp(dir) == NULL) {
		perror("mkdtemp");
		exit(99);
	}
	return dir;
}

void proof_dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry = NULL;

	if (d == NULL) {
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0) {
			(void)unlinkat(dirfd(d), entry->d_name, 0);
		}
	}
	/* Left by a writer that died while it made the store. */
	(void)unlinkat(dirfd(d), "create/data.mdb", 0);
	(void)unlinkat(dirfd(d), "create", AT_REMOVEDIR);
	closedir(d);
	(void)rmdir(dir);
}

void proof_locks_remove(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1) {
		(void)unlinkat(fd, "lock.mdb", 0);
		(void)unlinkat(fd, "writer.lock", 0);
		close(fd);
	}
}

char *proof_built(TALLOC_CTX *mem_ctx, const char *path)
{
	const char *top = getenv("top_builddir");
	char self[PATH_MAX] = {};
	char *slash = NULL;
	int up;

	if (top != NULL) {
		return talloc_asprintf(mem_ctx, "%s/%s", top, path);
	}
	/* By hand: the program lies in tests/store of the build. */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) == -1) {
		return NULL;
	}
	for (up = 0; up < 3; up++) {
		slash = strrchr(self, '/');
		if (slash == NULL) {
			return NULL;
		}
		*slash = '\0';
	}
	return talloc_asprintf(mem_ctx, "%s/%s", self, path);
}
