/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/resume.h"

/* What a bookmark comes to in one channel. */
struct resume {
	uint64_t next_id; /* where to go on */
	uint64_t missing; /* records lost on the way there */
	everr_t fault;	  /* what is wrong with it, or EVERR_OK */
	bool lost;	  /* next_id is not where it pointed */
};

/* Whether a record is there, readable or not. */
static everr_t record_exists(struct rpc_walk *walk, size_t channel, uint64_t id,
			     bool *ret_exists)
{
	struct store_record record;
	everr_t err;

	err = store_read(walk->snapshot, walk->cursors[channel].channel, id,
			 false, &record);
	if (err == EVERR_END) {
		*ret_exists = false;
		return EVERR_OK;
	}
	if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
		return err;
	}
	*ret_exists = record.id == id;
	return EVERR_OK;
}

/*
 * The first id the client has not seen.  A bookmark of a reverse query names
 * for its other channels the oldest record it has seen, which comes after the
 * current one in forward order.
 */
static uint64_t bookmark_next_id(const struct event_bookmark_list *bookmarks,
				 const struct event_bookmark *bookmark)
{
	if (bookmark->record_id == UINT64_MAX) {
		return UINT64_MAX;
	}
	if (bookmarks->backward &&
	    bookmark != event_bookmark_current(bookmarks)) {
		return bookmark->record_id;
	}
	return bookmark->record_id + 1;
}

static everr_t resume_trimmed(struct rpc_walk *walk, size_t channel,
			      uint64_t from_id, uint64_t first_id,
			      struct resume *resume)
{
	enum store_gap_cause cause;
	everr_t err;

	resume->next_id = first_id;
	err = store_gap(walk->snapshot, walk->cursors[channel].channel, from_id,
			first_id - 1, &resume->missing, &cause);
	if (err != EVERR_OK) {
		return err;
	}
	resume->lost = resume->missing > 0;
	resume->fault = resume->lost ? EVERR_STALE : EVERR_OK;
	return EVERR_OK;
}

static everr_t resume_channel(struct rpc_walk *walk, size_t channel,
			      const struct event_bookmark_list *bookmarks,
			      const struct event_bookmark *bookmark,
			      struct resume *resume)
{
	uint64_t from_id = bookmark_next_id(bookmarks, bookmark);
	bool current = bookmark == event_bookmark_current(bookmarks);
	uint64_t first_id, next_id;
	bool exists = false;
	everr_t err = EVERR_OK;

	*resume = (struct resume){.next_id = from_id};
	rpc_reader_bounds(walk, channel, &first_id, &next_id);

	if (from_id > next_id) {
		resume->next_id = first_id;
		resume->fault = EVERR_NOT_FOUND;
		resume->lost = true;
		return EVERR_OK;
	}
	/* Id 0: the client has seen nothing of this channel. */
	if (bookmark->record_id == 0) {
		resume->next_id = first_id;
	} else if (from_id < first_id) {
		err = resume_trimmed(walk, channel, from_id, first_id, resume);
	}
	if (err != EVERR_OK || resume->lost || !current) {
		return err;
	}

	err = record_exists(walk, channel, bookmark->record_id, &exists);
	if (err == EVERR_OK && !exists) {
		resume->fault = bookmark->record_id != 0 &&
						bookmark->record_id < first_id
					? EVERR_STALE
					: EVERR_NOT_FOUND;
	}
	return err;
}

static everr_t resume_foreign(struct rpc_reader *reader,
			      const struct event_bookmark_list *bookmarks,
			      bool strict)
{
	const struct event_bookmark *bookmark =
		event_bookmark_current(bookmarks);

	if (strict) {
		return EVERR_NOT_FOUND;
	}
	if (bookmark != NULL) {
		rpc_reader_report_bookmark(reader, bookmark->channel,
					   bookmark->record_id, 0, 0);
	}
	return EVERR_OK;
}

everr_t rpc_resume_place(struct rpc_reader *reader, struct rpc_walk *walk,
			 const struct event_bookmark_list *bookmarks,
			 bool strict)
{
	bool named = false;
	size_t i;

	rpc_reader_place_first(reader, walk);
	for (i = 0; i < walk->num_channels; i++) {
		const char *path = reader->query->paths[i];
		const struct event_bookmark *bookmark =
			event_bookmark_find(bookmarks, path);
		struct resume resume;
		everr_t err;

		if (bookmark == NULL || walk->cursors[i].channel == NULL) {
			continue;
		}
		named = true;
		err = resume_channel(walk, i, bookmarks, bookmark, &resume);
		if (err != EVERR_OK) {
			return err;
		}
		if (strict && resume.fault != EVERR_OK) {
			return resume.fault;
		}
		walk->cursors[i].next_id = resume.next_id;
		if (resume.lost) {
			rpc_reader_report_bookmark(
				reader, path, bookmark->record_id,
				resume.next_id, resume.missing);
		}
	}
	if (!named) {
		return resume_foreign(reader, bookmarks, strict);
	}
	return EVERR_OK;
}

everr_t rpc_resume_reader(struct rpc_reader *reader,
			  const struct event_bookmark_list *bookmarks,
			  bool strict)
{
	everr_t err;

	err = rpc_walk_begin(reader->walk);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_resume_place(reader, reader->walk, bookmarks, strict);
	rpc_walk_end(reader->walk);
	return err;
}
