/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX STORE_ORIGIN_PREFIX
#define NAME_LEN (strlen(PREFIX) + STORE_ORIGIN_DIGITS)

struct store_origins {
	char **names; /* by number - 1; NULL: damaged, or none */
	size_t num;   /* the greatest number */
	/* Those that have a name, in its order. */
	uint16_t *sorted;
	size_t num_sorted;
};

/* The number in the name of a state; 0: it is not one of ours. */
static uint16_t state_number(const char *name)
{
	uint32_t number = 0;
	const char *p = name + strlen(PREFIX);

	if (strlen(name) != NAME_LEN) {
		return 0;
	}
	for (; *p != '\0'; p++) {
		if (*p < '0' || *p > '9') {
			return 0;
		}
		number = number * 10 + (uint32_t)(*p - '0');
	}
	return number <= STORE_ORIGINS_MAX ? (uint16_t)number : 0;
}

/* The host in a state's data, as a talloc child; NULL: damaged. */
static char *state_host(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len)
{
	const char *host = (const char *)data + STORE_ORIGIN_HOST;

	if (len <= STORE_ORIGIN_HOST ||
	    len - STORE_ORIGIN_HOST > STORE_ORIGIN_HOST_MAX ||
	    le32_get(data) != STORE_ORIGIN_VERSION ||
	    memchr(host, '\0', len - STORE_ORIGIN_HOST) != NULL ||
	    !text_utf8_valid(host, len - STORE_ORIGIN_HOST)) {
		return NULL;
	}
	return talloc_strndup(mem_ctx, host, len - STORE_ORIGIN_HOST);
}

/* Index in sorted of the first name that is not below. */
static size_t sorted_index(const struct store_origins *origins,
			   const char *host)
{
	size_t low = 0;
	size_t high = origins->num_sorted;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *name = origins->names[origins->sorted[mid] - 1];

		if (text_name_cmp(name, host) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

/* 0: there is none of that name. */
static uint16_t find_host(const struct store_origins *origins, const char *host)
{
	size_t at = sorted_index(origins, host);
	uint16_t number;

	if (at == origins->num_sorted) {
		return 0;
	}
	number = origins->sorted[at];
	return text_name_equal(origins->names[number - 1], host) ? number : 0;
}

/* Room for a number above all others. */
static everr_t grow(struct store_origins *origins, size_t number)
{
	size_t size = talloc_array_length(origins->names);
	uint16_t *sorted = NULL;
	char **names = NULL;

	if (number <= size) {
		return EVERR_OK;
	}
	while (size < number) {
		size = size == 0 ? 16 : size * 2;
	}
	sorted = talloc_realloc(origins, origins->sorted, uint16_t, size);
	if (sorted == NULL) {
		return EVERR_NOMEM;
	}
	origins->sorted = sorted;
	names = talloc_realloc(origins, origins->names, char *, size);
	if (names == NULL) {
		return EVERR_NOMEM;
	}
	memset(names + origins->num, 0,
	       (size - origins->num) * sizeof(names[0]));
	origins->names = names;
	return EVERR_OK;
}

/* The number is above all others, and there is room; takes host over. */
static void add(struct store_origins *origins, uint16_t number, char *host)
{
	size_t at;

	origins->num = number;
	if (host == NULL) {
		return;
	}
	at = sorted_index(origins, host);
	origins->names[number - 1] = talloc_steal(origins->names, host);
	memmove(&origins->sorted[at + 1], &origins->sorted[at],
		(origins->num_sorted - at) * sizeof(origins->sorted[0]));
	origins->sorted[at] = number;
	origins->num_sorted++;
}

static void state_name(uint16_t number, char name[STORE_ORIGIN_NAME_SIZE])
{
	snprintf(name, STORE_ORIGIN_NAME_SIZE, PREFIX "%05u", number);
}

/* The state behind *after, whose name becomes *after.  EVERR_END: none. */
static everr_t load_next(struct store *store, TALLOC_CTX *frame,
			 const char **after)
{
	struct store_origins *origins = store->origins;
	uint8_t *data = NULL;
	char *name = NULL;
	size_t len = 0;
	uint16_t number;
	everr_t err;

	err = store_state_next(frame, store, PREFIX, *after, &name, &data,
			       &len);
	/* Damaged: the number stays given all the same. */
	if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
		return err;
	}
	*after = name;
	number = state_number(name);
	if (number <= origins->num) {
		return EVERR_OK;
	}
	err = grow(origins, number);
	if (err != EVERR_OK) {
		return err;
	}
	add(origins, number,
	    data != NULL ? state_host(frame, data, len) : NULL);
	return EVERR_OK;
}

everr_t store_origin_load(struct store *store)
{
	TALLOC_CTX *frame = talloc_new(store);
	char first[STORE_ORIGIN_NAME_SIZE];
	const char *after = first;
	everr_t err = EVERR_OK;

	if (store->origins == NULL) {
		store->origins = talloc_zero(store, struct store_origins);
	}
	if (frame == NULL || store->origins == NULL) {
		talloc_free(frame);
		return EVERR_NOMEM;
	}
	state_name((uint16_t)store->origins->num, first);
	while (err == EVERR_OK) {
		err = load_next(store, frame, &after);
	}
	TALLOC_FREE(frame);
	return err == EVERR_END ? EVERR_OK : err;
}

/* Everything above number goes. */
static void forget(struct store_origins *origins, size_t num)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < origins->num_sorted; i++) {
		uint16_t number = origins->sorted[i];

		if (number <= num) {
			origins->sorted[kept++] = number;
		} else {
			TALLOC_FREE(origins->names[number - 1]);
		}
	}
	origins->num_sorted = kept;
	origins->num = num;
}

static everr_t put_host(struct store_job *job, uint16_t number,
			const char *host)
{
	uint8_t data[STORE_ORIGIN_HOST + STORE_ORIGIN_HOST_MAX] = {0};
	char name[STORE_ORIGIN_NAME_SIZE];
	struct store_state state = {.name = name, .data = data};

	state_name(number, name);
	le32_set(data, STORE_ORIGIN_VERSION);
	memcpy(data + STORE_ORIGIN_HOST, host, strlen(host));
	state.len = STORE_ORIGIN_HOST + strlen(host);
	return store_job_add_state(job, &state);
}

/* Have the writer put all above number on disk, in one transaction. */
static everr_t write_hosts(struct store *store, size_t number)
{
	struct store_origins *origins = store->origins;
	struct store_job *job = store_job_new(STORE_JOB_DEFINE, NULL);
	everr_t err = EVERR_OK;

	if (job == NULL) {
		return EVERR_NOMEM;
	}
	job->states = calloc(origins->num - number, sizeof(*job->states));
	if (job->states == NULL) {
		err = EVERR_NOMEM;
	}
	for (; err == EVERR_OK && number < origins->num; number++) {
		err = put_host(job, (uint16_t)(number + 1),
			       origins->names[number]);
	}
	if (err == EVERR_OK) {
		store_queue_call(&store->writer->queue, job);
		err = job->err;
	}
	store_job_free(job);
	return err;
}

static everr_t check_host(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && len <= STORE_ORIGIN_HOST_MAX &&
			       text_utf8_valid(host, len)
		       ? EVERR_OK
		       : EVERR_INVALID;
}

/* The next number, unless it has one. */
static everr_t add_host(struct store_origins *origins, const char *host)
{
	everr_t err = check_host(host);
	char *copy = NULL;

	if (err != EVERR_OK || find_host(origins, host) != 0) {
		return err;
	}
	if (origins->num >= STORE_ORIGINS_MAX) {
		return EVERR_LIMIT;
	}
	err = grow(origins, origins->num + 1);
	if (err != EVERR_OK) {
		return err;
	}
	copy = talloc_strdup(origins, host);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	add(origins, (uint16_t)(origins->num + 1), copy);
	return EVERR_OK;
}

everr_t store_origin_add(struct store *store, const char *const *hosts,
			 size_t num)
{
	struct store_origins *origins = store->origins;
	const size_t before = origins->num;
	everr_t err = EVERR_OK;
	size_t i;

	if (store->writer == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	if (num > STORE_ORIGINS_AT_ONCE) {
		return EVERR_INVALID;
	}
	for (i = 0; err == EVERR_OK && i < num; i++) {
		err = add_host(origins, hosts[i]);
	}
	if (err == EVERR_OK && origins->num > before) {
		err = write_hosts(store, before);
	}
	if (err != EVERR_OK) {
		forget(origins, before);
	}
	return err;
}

everr_t store_origin_number(struct store *store, const char *host,
			    uint16_t *ret_number)
{
	everr_t err = check_host(host);
	uint16_t number;

	if (err != EVERR_OK) {
		return err;
	}
	number = find_host(store->origins, host);
	if (number == 0) {
		err = store_origin_add(store, &host, 1);
		if (err != EVERR_OK) {
			return err;
		}
		number = find_host(store->origins, host);
	}
	*ret_number = number;
	return EVERR_OK;
}

bool store_origin_known(const struct store *store, uint16_t number)
{
	return number <= store->origins->num;
}

const char *store_origin_name(struct store *store, uint16_t number)
{
	/* Who only reads learns of new ones when it meets them. */
	if (store->writer == NULL && !store_origin_known(store, number) &&
	    store_origin_load(store) != EVERR_OK) {
		return NULL;
	}
	if (number == 0 || !store_origin_known(store, number)) {
		return NULL;
	}
	return store->origins->names[number - 1];
}
