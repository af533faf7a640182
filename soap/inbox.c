/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/inbox.h"

#include "base/text.h"
#include "base/wintime.h"
#include "bridge/events.h"
#include "soap/configmgr_internal.h"
#include "soap/inbox_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

/* Names that wait; beyond it, the directory is looked through again. */
#define QUEUE_MAX 1024
/* Seconds between looks at the whole directory, whatever inotify says. */
#define LOOK_SECONDS 60
/* Entries of the directory in one turn of the loop. */
#define LOOK_ENTRIES 1024
/* Until the next look when there is something to look for. */
#define LOOK_SOON_SECONDS 2
/*
 * A file that a look finds may still be being written.  One that can't be read
 * and was changed less than so many seconds ago is left for the next look.
 */
#define QUIET_SECONDS 10
/* done/ and bad/ are trimmed after so many files, and at each look. */
#define TRIM_EVERY 256

/* What is known of a file that was taken before. */
enum {
	TAKEN_DONE,
	TAKEN_BAD
};

struct inbox_item {
	struct inbox_item *next;
	bool looked; /* found by a look: perhaps not whole yet */
	char name[];
};

/* A file whose events are on their way to disk. */
struct inbox_file {
	struct configmgr_inbox *inbox;
	struct inbox_file *prev, *next;
	const char *name;
	struct stat stat;
	const char *reason; /* NULL: it is good */
	struct ev_guid id;
};

struct configmgr_inbox {
	struct configmgr *configmgr;
	struct inbox_dirs *dirs;
	int inotify; /* -1: looks must do */
	struct tevent_fd *watch;
	struct tevent_timer *timer;
	struct tevent_immediate *next;
	struct inbox_item *first, *last;
	size_t num_items;
	DIR *look;  /* under way */
	bool again; /* look once more afterwards */
	bool full;  /* the store takes nothing: wait for the next look */
	struct inbox_file *files;
	size_t num_files;
	size_t untrimmed;
};

static void inbox_pump(struct configmgr_inbox *inbox);
static void inbox_tick(struct tevent_context *ev, struct tevent_timer *te,
		       struct timeval now, void *private_data);

/* ----------------------------------------------------------------- looks */

static everr_t inbox_timer(struct configmgr_inbox *inbox)
{
	uint32_t seconds = inbox->again ? LOOK_SOON_SECONDS : LOOK_SECONDS;

	TALLOC_FREE(inbox->timer);
	inbox->timer = tevent_add_timer(inbox->configmgr->ev, inbox,
					tevent_timeval_current_ofs(seconds, 0),
					inbox_tick, inbox);
	return inbox->timer == NULL ? EVERR_NOMEM : EVERR_OK;
}

/* There is something that only a look will find. */
static void look_soon(struct configmgr_inbox *inbox)
{
	if (!inbox->again) {
		inbox->again = true;
		(void)inbox_timer(inbox);
	}
}

/* ----------------------------------------------------------------- queue */

static void queue_put(struct configmgr_inbox *inbox, const char *name,
		      bool looked)
{
	struct inbox_item *item = NULL;
	size_t size = strlen(name) + 1;

	if (inbox->num_items >= QUEUE_MAX) {
		look_soon(inbox);
		return;
	}
	item = talloc_size(inbox, sizeof(*item) + size);
	if (item == NULL) {
		look_soon(inbox);
		return;
	}
	item->next = NULL;
	item->looked = looked;
	memcpy(item->name, name, size);
	if (inbox->last == NULL) {
		inbox->first = item;
	} else {
		inbox->last->next = item;
	}
	inbox->last = item;
	inbox->num_items++;
}

static struct inbox_item *queue_take(struct configmgr_inbox *inbox)
{
	struct inbox_item *item = inbox->first;

	if (item == NULL) {
		return NULL;
	}
	inbox->first = item->next;
	if (inbox->first == NULL) {
		inbox->last = NULL;
	}
	inbox->num_items--;
	return item;
}

static void look_end(struct configmgr_inbox *inbox)
{
	if (inbox->look != NULL) {
		closedir(inbox->look);
		inbox->look = NULL;
	}
}

static void look_begin(struct configmgr_inbox *inbox)
{
	int fd = -1;

	look_end(inbox);
	inbox->again = false;
	fd = openat(inbox->dirs->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return;
	}
	inbox->look = fdopendir(fd);
	if (inbox->look == NULL) {
		close(fd);
	}
}

/* Names of the look that is under way: some, while the queue has room. */
static void look_go_on(struct configmgr_inbox *inbox)
{
	struct dirent *entry = NULL;
	unsigned int i;

	for (i = 0; i < LOOK_ENTRIES && inbox->look != NULL &&
		    inbox->num_items < QUEUE_MAX / 2;
	     i++) {
		entry = readdir(inbox->look);
		if (entry == NULL) {
			look_end(inbox);
			return;
		}
		if (inbox_name_fits(entry->d_name)) {
			queue_put(inbox, entry->d_name, true);
		}
	}
}

/* --------------------------------------------------------------- one file */

static int file_destructor(struct inbox_file *file)
{
	struct configmgr_inbox *inbox = file->inbox;

	if (file->prev != NULL) {
		file->prev->next = file->next;
	} else {
		inbox->files = file->next;
	}
	if (file->next != NULL) {
		file->next->prev = file->prev;
	}
	inbox->num_files--;
	return 0;
}

static struct inbox_file *file_create(struct configmgr_inbox *inbox,
				      const char *name)
{
	struct inbox_file *file = talloc_zero(inbox, struct inbox_file);

	if (file == NULL) {
		return NULL;
	}
	file->name = talloc_strdup(file, name);
	if (file->name == NULL) {
		talloc_free(file);
		return NULL;
	}
	file->inbox = inbox;
	file->next = inbox->files;
	if (file->next != NULL) {
		file->next->prev = file;
	}
	inbox->files = file;
	inbox->num_files++;
	talloc_set_destructor(file, file_destructor);
	return file;
}

static bool file_in_flight(const struct configmgr_inbox *inbox,
			   const char *name)
{
	const struct inbox_file *file = inbox->files;

	while (file != NULL && strcmp(file->name, name) != 0) {
		file = file->next;
	}
	return file != NULL;
}

/* The name as text: it may hold any byte but two. */
static const char *name_text(TALLOC_CTX *mem_ctx, const char *name)
{
	char *text = talloc_strdup(mem_ctx, name);
	char *p = NULL;

	if (text == NULL || text_utf8_valid(text, strlen(text))) {
		return text;
	}
	for (p = text; *p != '\0'; p++) {
		if ((uint8_t)*p >= 0x80) {
			*p = '?';
		}
	}
	return text;
}

/*
 * By name and content: the first half of their SHA-256.  What can't be read is
 * known by its inode.
 */
static void file_identify(struct inbox_file *file,
			  const struct inbox_content *content)
{
	const struct stat *stat = &content->stat;
	gnutls_hash_hd_t hash = NULL;
	uint8_t digest[32] = {};

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0) {
		(void)gnutls_hash(hash, file->name, strlen(file->name) + 1);
		if (content->data != NULL) {
			(void)gnutls_hash(hash, content->data, content->len);
		} else {
			(void)gnutls_hash(hash, &stat->st_ino,
					  sizeof(stat->st_ino));
			(void)gnutls_hash(hash, &stat->st_mtim,
					  sizeof(stat->st_mtim));
		}
		gnutls_hash_deinit(hash, digest);
	}
	memcpy(file->id.b, digest, sizeof(file->id.b));
}

/* It has been seen to: out of the way with it. */
static void file_put_away(struct inbox_file *file, bool bad)
{
	struct configmgr_inbox *inbox = file->inbox;
	struct inbox_stats *stats = &inbox->configmgr->inbox_counters;
	everr_t err;

	err = inbox_move(inbox->dirs, file->name, &file->stat,
			 bad ? INBOX_BAD : INBOX_DONE,
			 bad ? file->reason : NULL);
	if (err == EVERR_STALE) {
		/* Written to, or over, meanwhile: it may not be whole yet. */
		look_soon(inbox);
	} else if (err == EVERR_IO) {
		stats->failed++;
		if (!inbox_dirs_current(inbox->dirs)) {
			look_soon(inbox);
		}
	}
	if (++inbox->untrimmed >= TRIM_EVERY) {
		inbox->untrimmed = 0;
		inbox_trim(inbox->dirs, INBOX_DONE, INBOX_KEPT_MAX,
			   INBOX_DONE_SECONDS);
		inbox_trim(inbox->dirs, INBOX_BAD, INBOX_KEPT_MAX,
			   INBOX_BAD_SECONDS);
	}
	talloc_free(file);
}

static void file_stored(struct tevent_req *subreq)
{
	struct inbox_file *file =
		tevent_req_callback_data(subreq, struct inbox_file);
	struct configmgr_inbox *inbox = file->inbox;
	struct inbox_stats *stats = &inbox->configmgr->inbox_counters;
	everr_t err;

	err = configmgr_store_recv(subreq);
	TALLOC_FREE(subreq);
	if (err == EVERR_EVENT_TOO_LARGE && file->reason == NULL) {
		file->reason = "the events of the file are too large";
		err = EVERR_OK;
	}
	if (err == EVERR_OK) {
		stats->done += file->reason == NULL;
		stats->bad += file->reason != NULL;
		file_put_away(file, file->reason != NULL);
	} else {
		/* It stays where it is. */
		stats->deferred++;
		inbox->full = true;
		talloc_free(file);
	}
	inbox_pump(inbox);
}

static everr_t file_events(const struct inbox_file *file,
			   const struct inbox_content *content,
			   const struct bridge_origin *origin,
			   struct bridge_events *events,
			   const char **ret_reason)
{
	const char *text = name_text(events, file->name);

	if (text == NULL) {
		return EVERR_NOMEM;
	}
	if (file->reason != NULL) {
		return bridge_configmgr_file_rejected(events, origin, text,
						      file->reason);
	}
	return bridge_configmgr_ddr_file(events, origin, text, content->data,
					 content->len, ret_reason);
}

/* Its events, or the one that says why there are none. */
static everr_t file_commit(struct inbox_file *file,
			   const struct inbox_content *content, bool young)
{
	struct configmgr *configmgr = file->inbox->configmgr;
	const struct bridge_origin origin = {
		.computer = configmgr->computer,
		.peer = "",
		.received = wintime_now(),
	};
	struct configmgr_change change = {
		.id = &file->id,
		.replay = configmgr->taken,
		.now = origin.received,
	};
	struct tevent_req *subreq = NULL;
	const char *reason = NULL;
	bool differs = false;
	everr_t err;

	if (young && file->reason != NULL) {
		return EVERR_STALE;
	}
	change.events = bridge_events_create(file);
	if (change.events == NULL) {
		return EVERR_NOMEM;
	}
	err = file_events(file, content, &origin, change.events, &reason);
	if (err == EVERR_TEXT || err == EVERR_LIMIT) {
		if (young) {
			return EVERR_STALE;
		}
		file->reason = reason != NULL ? talloc_strdup(file, reason)
					      : everr_text(err);
		err = file_events(file, content, &origin, change.events,
				  &reason);
	}
	if (err != EVERR_OK) {
		return err;
	}
	change.digest = file->reason != NULL ? TAKEN_BAD : TAKEN_DONE;
	/* It may be on its way since before the inbox was opened again. */
	subreq = configmgr_store_join_send(file, configmgr, &file->id,
					   change.digest, &differs);
	if (subreq == NULL) {
		subreq = configmgr_store_send(file, configmgr->ev, configmgr,
					      &change);
	}
	TALLOC_FREE(change.events);
	if (subreq == NULL) {
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(subreq, file_stored, file);
	return EVERR_OK;
}

static bool is_young(const struct stat *stat)
{
	time_t age = time(NULL) - stat->st_mtim.tv_sec;

	return S_ISREG(stat->st_mode) && age >= 0 && age < QUIET_SECONDS;
}

/* false: leave it; a later look finds it again. */
static bool file_read(struct inbox_file *file, struct inbox_content *content)
{
	everr_t err;

	err = inbox_read(file, file->inbox->dirs, file->name, INBOX_FILE_MAX,
			 content);
	file->stat = content->stat;
	switch (err) {
	case EVERR_OK:
		return true;
	case EVERR_TEXT:
		file->reason = "it is not a regular file";
		return true;
	case EVERR_LIMIT:
		file->reason = "it is larger than 1 MiB";
		return true;
	case EVERR_NOT_FOUND:
		return false;
	default:
		file->inbox->configmgr->inbox_counters.failed++;
		return false;
	}
}

static void file_take(struct configmgr_inbox *inbox,
		      const struct inbox_item *item)
{
	struct inbox_stats *stats = &inbox->configmgr->inbox_counters;
	struct inbox_content content = {};
	struct inbox_file *file = NULL;
	uint64_t taken = 0;
	everr_t err;

	if (file_in_flight(inbox, item->name)) {
		look_soon(inbox);
		return;
	}
	file = file_create(inbox, item->name);
	if (file == NULL) {
		return;
	}
	if (!file_read(file, &content)) {
		talloc_free(file);
		return;
	}
	file_identify(file, &content);
	if (configmgr_replay_find(inbox->configmgr->taken, &file->id,
				  wintime_now(), &taken)) {
		/* Stored before; only the move was left to do. */
		stats->again++;
		file->reason = "it was rejected before; the event of then "
			       "says why";
		file_put_away(file, taken == TAKEN_BAD);
		return;
	}
	err = file_commit(file, &content,
			  item->looked && is_young(&file->stat));
	TALLOC_FREE(content.data);
	if (err == EVERR_STALE) {
		look_soon(inbox);
	}
	if (err != EVERR_OK) {
		stats->deferred += err != EVERR_STALE;
		talloc_free(file);
	}
}

/* ------------------------------------------------------------------ turns */

/* One file in each turn of the loop. */
static void inbox_turn(struct tevent_context *ev, struct tevent_immediate *im,
		       void *private_data)
{
	struct configmgr_inbox *inbox = private_data;
	struct inbox_item *item = NULL;

	look_go_on(inbox);
	item = queue_take(inbox);
	if (item != NULL) {
		file_take(inbox, item);
		talloc_free(item);
	}
	inbox_pump(inbox);
}

static void inbox_pump(struct configmgr_inbox *inbox)
{
	if (inbox->full || inbox->num_files >= INBOX_FLIGHTS_MAX ||
	    (inbox->first == NULL && inbox->look == NULL)) {
		return;
	}
	tevent_schedule_immediate(inbox->next, inbox->configmgr->ev, inbox_turn,
				  inbox);
}

static void inbox_tick(struct tevent_context *ev, struct tevent_timer *te,
		       struct timeval now, void *private_data)
{
	struct configmgr_inbox *inbox = private_data;
	char *message = NULL;

	TALLOC_FREE(inbox->timer);
	/* Its place may have been taken by another directory. */
	if (!inbox_dirs_current(inbox->dirs) &&
	    configmgr_inbox_start(inbox->configmgr, inbox->dirs->path,
				  &message) == EVERR_OK) {
		return;
	}
	talloc_free(message);
	inbox->full = false;
	if (inbox->look == NULL) {
		look_begin(inbox);
	}
	inbox_trim(inbox->dirs, INBOX_DONE, INBOX_KEPT_MAX, INBOX_DONE_SECONDS);
	inbox_trim(inbox->dirs, INBOX_BAD, INBOX_KEPT_MAX, INBOX_BAD_SECONDS);
	(void)inbox_timer(inbox);
	inbox_pump(inbox);
}

/* ------------------------------------------------------------------ watch */

static void watch_event(struct configmgr_inbox *inbox,
			const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		look_begin(inbox);
		return;
	}
	if (event->len > 0 && (event->mask & IN_ISDIR) == 0 &&
	    inbox_name_fits(event->name)) {
		queue_put(inbox, event->name, false);
	}
}

static void watch_ready(struct tevent_context *ev, struct tevent_fd *fde,
			uint16_t flags, void *private_data)
{
	struct configmgr_inbox *inbox = private_data;
	_Alignas(struct inotify_event) char events[16 * 1024];
	ssize_t n = read(inbox->inotify, events, sizeof(events));
	ssize_t at = 0;

	while (at < n) {
		const struct inotify_event *event =
			(const struct inotify_event *)(events + at);

		watch_event(inbox, event);
		at += (ssize_t)sizeof(*event) + event->len;
	}
	inbox_pump(inbox);
}

static int inbox_destructor(struct configmgr_inbox *inbox)
{
	TALLOC_FREE(inbox->watch);
	while (inbox->files != NULL) {
		talloc_free(inbox->files);
	}
	look_end(inbox);
	if (inbox->inotify >= 0) {
		close(inbox->inotify);
	}
	return 0;
}

static everr_t watch_start(struct configmgr_inbox *inbox, const char *path,
			   char **ret_message)
{
	inbox->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inbox->inotify < 0 ||
	    inotify_add_watch(inbox->inotify, path,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		*ret_message = talloc_asprintf(
			inbox->configmgr, "the inbox %s can't be watched: %s",
			path, strerror(errno));
		return EVERR_CONFIG;
	}
	inbox->watch =
		tevent_add_fd(inbox->configmgr->ev, inbox, inbox->inotify,
			      TEVENT_FD_READ, watch_ready, inbox);
	return inbox->watch == NULL ? EVERR_NOMEM : EVERR_OK;
}

static everr_t inbox_open(struct configmgr_inbox *inbox, const char *path,
			  char **ret_message)
{
	const struct configmgr *configmgr = inbox->configmgr;
	char *message = NULL;
	everr_t err;

	err = inbox_dirs_open(inbox, path, &inbox->dirs, &message);
	if (err != EVERR_OK) {
		*ret_message = talloc_steal(configmgr, message);
		return err;
	}
	inbox->next = tevent_create_immediate(inbox);
	if (inbox->next == NULL) {
		return EVERR_NOMEM;
	}
	/* First the watch, then the look: nothing comes between them. */
	err = watch_start(inbox, path, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	look_begin(inbox);
	return inbox_timer(inbox);
}

everr_t configmgr_inbox_start(struct configmgr *configmgr, const char *path,
			      char **ret_message)
{
	struct configmgr_inbox *inbox = NULL;
	everr_t err;

	if (path == NULL) {
		TALLOC_FREE(configmgr->inbox);
		return EVERR_OK;
	}
	if (configmgr->inbox != NULL &&
	    strcmp(configmgr->inbox->dirs->path, path) == 0 &&
	    inbox_dirs_current(configmgr->inbox->dirs)) {
		look_soon(configmgr->inbox);
		return EVERR_OK;
	}
	inbox = talloc_zero(configmgr, struct configmgr_inbox);
	if (inbox == NULL) {
		return EVERR_NOMEM;
	}
	inbox->configmgr = configmgr;
	inbox->inotify = -1;
	talloc_set_destructor(inbox, inbox_destructor);
	err = inbox_open(inbox, path, ret_message);
	if (err != EVERR_OK) {
		talloc_free(inbox);
		return err;
	}
	talloc_free(configmgr->inbox);
	configmgr->inbox = inbox;
	inbox_pump(inbox);
	return EVERR_OK;
}
