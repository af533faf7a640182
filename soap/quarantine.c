/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/quarantine.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"
#include "soap/quarantine_files.h"
#include "soap/quarantine_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_LEN (QUARANTINE_NAME_SIZE - 1)
#define DESCRIPTION_MAX (64 * 1024)
/* Of each text in a description; a longer one is cut with a mark. */
#define TEXT_MAX 2048
/* Of one entry, whatever the limits were when it was kept. */
#define READ_MAX (256 * 1024 * 1024)

struct item {
	char name[NAME_LEN + 1];
	uint64_t bytes; /* of both files */
};

struct quarantine {
	const char *dir;
	struct quarantine_limits limits;
	/* Oldest first, from items[first] to items[end - 1]. */
	struct item *items;
	size_t first, end, size;
	uint64_t bytes;
	struct timespec changed; /* the directory, when it was looked at */
	struct quarantine_writer *writer;
	uint16_t counter;
	uint64_t kept;
	uint64_t dropped;
	uint64_t lost;
};

void quarantine_limits_default(struct quarantine_limits *ret_limits)
{
	*ret_limits = (struct quarantine_limits){
		.bytes = 256 * 1024 * 1024,
		.entries = 1000,
		.entry_bytes = 8 * 1024 * 1024,
	};
}

/* --------------------------------------------------------------- names */

static bool name_valid(const char *name)
{
	const char *form = QUARANTINE_NAME_FORM;
	size_t i;

	for (i = 0; i < NAME_LEN; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';
		bool hex = digit || (name[i] >= 'a' && name[i] <= 'f');

		if ((form[i] == 'd' && !digit) || (form[i] == 'x' && !hex) ||
		    (form[i] != 'd' && form[i] != 'x' && name[i] != form[i])) {
			return false;
		}
	}
	return name[NAME_LEN] == '\0';
}

static everr_t name_make(struct quarantine *quarantine, char *name)
{
	struct timespec now;
	struct tm tm;
	char time[32] = "";
	char text[96];
	uint32_t random = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL ||
	    getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		return EVERR_IO;
	}
	strftime(time, sizeof(time), "%Y%m%dT%H%M%S", &tm);
	snprintf(text, sizeof(text), "%.15s%06ld-%04x-%08" PRIx32, time,
		 now.tv_nsec / 1000, (unsigned int)quarantine->counter++,
		 random);
	memcpy(name, text, NAME_LEN);
	name[NAME_LEN] = '\0';
	return EVERR_OK;
}

/* NAME.in or NAME.json: its name; false: another file. */
static bool file_of(const char *file, const char *suffix, char *name)
{
	if (strlen(file) != NAME_LEN + strlen(suffix) ||
	    strcmp(file + NAME_LEN, suffix) != 0) {
		return false;
	}
	memcpy(name, file, NAME_LEN);
	name[NAME_LEN] = '\0';
	return name_valid(name);
}

/* --------------------------------------------------------- the directory */

/* The directory is as the index says. */
static void note_change(struct quarantine *quarantine, int dir)
{
	struct stat st;

	if (fstat(dir, &st) == 0) {
		quarantine->changed = st.st_mtim;
	}
}

static bool file_size(int dir, const char *name, const char *suffix,
		      uint64_t *size)
{
	char file[QUARANTINE_FILE_MAX];
	struct stat st;
	int ret;

	ret = fstatat(dir, quarantine_file_name(file, "", name, suffix), &st,
		      AT_SYMLINK_NOFOLLOW);
	if (ret != 0 || !S_ISREG(st.st_mode)) {
		return false;
	}
	*size += (uint64_t)st.st_size;
	return true;
}

static everr_t read_file(TALLOC_CTX *mem_ctx, int dir, const char *name,
			 const char *suffix, size_t max, uint8_t **ret_data,
			 size_t *ret_len);

/*
 * Whether a crash came before the disk had all of an entry: file systems write
 * what is in a file before they write how long it is.
 */
static bool is_short(TALLOC_CTX *mem_ctx, int dir, const char *name)
{
	uint64_t size = 0;
	uint8_t *text = NULL;
	json_t *json = NULL;
	json_int_t kept;
	size_t len = 0;
	everr_t err;

	err = read_file(mem_ctx, dir, name, QUARANTINE_DESCRIPTION,
			DESCRIPTION_MAX, &text, &len);
	if (err != EVERR_OK) {
		return false;
	}
	json = json_loadb((const char *)text, len, 0, NULL);
	TALLOC_FREE(text);
	kept = json_integer_value(json_object_get(json, "kept"));
	json_decref(json);
	return len == 0 || (file_size(dir, name, QUARANTINE_INPUT, &size) &&
			    kept > 0 && size < (uint64_t)kept);
}

/* What a crash has left: a file being written, half an entry. */
static void remove_leftover(TALLOC_CTX *mem_ctx, int dir, const char *file)
{
	char name[NAME_LEN + 1];
	uint64_t size = 0;
	bool leftover;

	leftover = strncmp(file, QUARANTINE_TEMPORARY,
			   strlen(QUARANTINE_TEMPORARY)) == 0 &&
		   (file_of(file + strlen(QUARANTINE_TEMPORARY),
			    QUARANTINE_INPUT, name) ||
		    file_of(file + strlen(QUARANTINE_TEMPORARY),
			    QUARANTINE_DESCRIPTION, name));
	if (!leftover && file_of(file, QUARANTINE_INPUT, name)) {
		leftover = !file_size(dir, name, QUARANTINE_DESCRIPTION, &size);
	} else if (!leftover && file_of(file, QUARANTINE_DESCRIPTION, name)) {
		leftover = !file_size(dir, name, QUARANTINE_INPUT, &size);
		if (!leftover && is_short(mem_ctx, dir, name)) {
			quarantine_files_remove(dir, name);
		}
	}
	if (leftover) {
		unlinkat(dir, file, 0);
	}
}

/* --------------------------------------------------------------- index */

static everr_t add_item(struct quarantine *quarantine, const char *name,
			uint64_t bytes)
{
	struct item *items = quarantine->items;
	size_t num = quarantine->end - quarantine->first;

	if (quarantine->end == quarantine->size && quarantine->first > num) {
		memmove(items, items + quarantine->first, num * sizeof(*items));
		quarantine->first = 0;
		quarantine->end = num;
	}
	if (quarantine->end == quarantine->size) {
		size_t size = quarantine->size * 2 + 64;

		items = talloc_realloc(quarantine, items, struct item, size);
		if (items == NULL) {
			return EVERR_NOMEM;
		}
		quarantine->items = items;
		quarantine->size = size;
	}
	memcpy(items[quarantine->end].name, name, NAME_LEN + 1);
	items[quarantine->end].bytes = bytes;
	quarantine->end++;
	quarantine->bytes += bytes;
	return EVERR_OK;
}

/* Index of the first item whose name is after that one. */
static size_t find_after(const struct quarantine *quarantine, const char *name)
{
	size_t low = quarantine->first;
	size_t high = quarantine->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(quarantine->items[middle].name, name) > 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

/* false: there is none of that name. */
static bool drop_item(struct quarantine *quarantine, const char *name)
{
	size_t after = find_after(quarantine, name);
	struct item *item = NULL;

	if (after == quarantine->first) {
		return false;
	}
	item = &quarantine->items[after - 1];
	if (strcmp(item->name, name) != 0) {
		return false;
	}
	quarantine->bytes -= item->bytes;
	memmove(item, item + 1, (quarantine->end - after) * sizeof(*item));
	quarantine->end--;
	return true;
}

static everr_t add_waiting(void *private_data, const char *name, uint64_t bytes)
{
	return add_item(private_data, name, bytes);
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name,
		      ((const struct item *)b)->name);
}

static void sort_items(struct quarantine *quarantine)
{
	size_t num = quarantine->end - quarantine->first;

	if (num > 1) {
		qsort(quarantine->items + quarantine->first, num,
		      sizeof(struct item), compare_items);
	}
}

/* What the writer has done since somebody asked last. */
static void settle(struct quarantine *quarantine)
{
	struct quarantine_written written;
	struct timespec *changed = &quarantine->changed;

	while (quarantine_writer_next(quarantine->writer, &written)) {
		if (written.before.tv_sec == changed->tv_sec &&
		    written.before.tv_nsec == changed->tv_nsec) {
			*changed = written.after;
		}
		if (written.failed) {
			drop_item(quarantine, written.name);
			quarantine->lost++;
		}
	}
}

/* An entry on disk; others are known from the writer. */
static everr_t scan_file(struct quarantine *quarantine, int dir,
			 const char *file)
{
	char name[NAME_LEN + 1];
	uint64_t size = 0;

	if (!file_of(file, QUARANTINE_DESCRIPTION, name) ||
	    quarantine_writer_has(quarantine->writer, name) ||
	    !file_size(dir, name, QUARANTINE_DESCRIPTION, &size) ||
	    !file_size(dir, name, QUARANTINE_INPUT, &size)) {
		return EVERR_OK;
	}
	return add_item(quarantine, name, size);
}

/* Make the index from what is there. */
static everr_t scan(struct quarantine *quarantine, int dir, bool clean)
{
	struct dirent *entry = NULL;
	everr_t err = EVERR_OK;
	DIR *stream = NULL;
	int copy;

	settle(quarantine);
	quarantine->first = 0;
	quarantine->end = 0;
	quarantine->bytes = 0;
	note_change(quarantine, dir);

	copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = copy != -1 ? fdopendir(copy) : NULL;
	if (stream == NULL) {
		if (copy != -1) {
			close(copy);
		}
		return EVERR_IO;
	}
	while (err == EVERR_OK && (entry = readdir(stream)) != NULL) {
		if (clean) {
			remove_leftover(quarantine, dir, entry->d_name);
		}
		err = scan_file(quarantine, dir, entry->d_name);
	}
	closedir(stream);
	if (err == EVERR_OK) {
		err = quarantine_writer_each(quarantine->writer, add_waiting,
					     quarantine);
	}
	sort_items(quarantine);
	return err;
}

/*
 * Look again when somebody else has changed the directory: not while it is
 * being written to, when its time says nothing.
 */
static everr_t refresh(struct quarantine *quarantine, int dir)
{
	struct stat st;

	settle(quarantine);
	if (quarantine_writer_busy(quarantine->writer)) {
		return EVERR_OK;
	}
	if (fstat(dir, &st) != 0) {
		return EVERR_IO;
	}
	if (st.st_mtim.tv_sec == quarantine->changed.tv_sec &&
	    st.st_mtim.tv_nsec == quarantine->changed.tv_nsec) {
		return EVERR_OK;
	}
	return scan(quarantine, dir, false);
}

/* Drop the oldest until one more of that size fits. */
static void make_room(struct quarantine *quarantine, uint64_t bytes)
{
	const struct quarantine_limits *limits = &quarantine->limits;

	while (quarantine->first < quarantine->end &&
	       (quarantine->end - quarantine->first >= limits->entries ||
		quarantine->bytes + bytes > limits->bytes)) {
		struct item *oldest = &quarantine->items[quarantine->first];

		quarantine_writer_remove(quarantine->writer, oldest->name);
		quarantine->bytes -= oldest->bytes;
		quarantine->first++;
		quarantine->dropped++;
	}
}

everr_t quarantine_open(TALLOC_CTX *mem_ctx, const char *dir,
			const struct quarantine_limits *limits,
			struct quarantine **ret_quarantine)
{
	struct quarantine *quarantine = NULL;
	everr_t err;
	int fd = -1;

	quarantine = talloc_zero(mem_ctx, struct quarantine);
	if (quarantine == NULL) {
		return EVERR_NOMEM;
	}
	quarantine->limits = *limits;
	if (limits->entry_bytes > limits->bytes) {
		quarantine->limits.entry_bytes = limits->bytes;
	}
	quarantine->dir = talloc_strdup(quarantine, dir);
	quarantine->writer = quarantine_writer_create(quarantine, dir);
	err = quarantine->dir != NULL && quarantine->writer != NULL
		      ? EVERR_OK
		      : EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = quarantine_dir_open(quarantine->dir, &fd);
	}
	if (err == EVERR_OK) {
		err = scan(quarantine, fd, true);
		/* Files that went were not counted, but changed it. */
		note_change(quarantine, fd);
		close(fd);
	}
	if (err != EVERR_OK) {
		int saved = errno;

		TALLOC_FREE(quarantine);
		errno = saved;
		return err;
	}
	*ret_quarantine = quarantine;
	return EVERR_OK;
}

/* --------------------------------------------------------------- write */

/* Bytes of the character that begins text, which has at least one; 0: none. */
static size_t character(const char *text)
{
	size_t len;

	for (len = 1; len <= 4; len++) {
		if (text_utf8_valid(text, len)) {
			return len;
		}
		if (text[len] == '\0') {
			break;
		}
	}
	return 0;
}

/*
 * A text from outside: cut, and what is not UTF-8 replaced, so that it never
 * keeps the description from being written.
 */
static json_t *text_json(const char *text)
{
	char clean[TEXT_MAX + 8];
	size_t len = 0;

	if (text == NULL) {
		return json_null();
	}
	while (*text != '\0' && len < TEXT_MAX) {
		size_t step = character(text);

		if (step == 0) {
			memcpy(clean + len, "\xEF\xBF\xBD", 3);
			len += 3;
			text++;
			continue;
		}
		memcpy(clean + len, text, step);
		len += step;
		text += step;
	}
	if (*text != '\0') {
		memcpy(clean + len, "\xE2\x80\xA6", 3);
		len += 3;
	}
	return json_stringn(clean, len);
}

/* len bytes came in, of which kept are in the file. */
static char *describe(const struct quarantine_entry *entry, size_t len,
		      size_t kept)
{
	char received[WINTIME_TEXT_MAX];
	json_t *json = NULL;
	char *text = NULL;

	wintime_format(entry->received, received);
	json = json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:I,s:I,s:b}", "source",
		text_json(entry->source), "reason", text_json(entry->reason),
		"peer", text_json(entry->peer), "method",
		text_json(entry->method), "path", text_json(entry->path),
		"content_type", text_json(entry->content_type), "soap_action",
		text_json(entry->soap_action), "received", received, "length",
		(json_int_t)len, "kept", (json_int_t)kept, "complete",
		entry->complete && kept == len);
	if (json == NULL) {
		return NULL;
	}
	text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	return text;
}

/* The newest, unless the clock was set back. */
static everr_t add_newest(struct quarantine *quarantine, const char *name,
			  uint64_t bytes)
{
	const struct item *last = NULL;
	everr_t err;

	err = add_item(quarantine, name, bytes);
	if (err != EVERR_OK) {
		return err;
	}
	last = &quarantine->items[quarantine->end - 1];
	if (last > quarantine->items + quarantine->first &&
	    compare_items(last - 1, last) > 0) {
		sort_items(quarantine);
	}
	return EVERR_OK;
}

static everr_t keep(struct quarantine *quarantine, char *name,
		    const char *description, const uint8_t *data, size_t len)
{
	uint64_t bytes = len + strlen(description);
	everr_t err;

	err = name_make(quarantine, name);
	if (err != EVERR_OK) {
		return err;
	}
	err = quarantine_writer_put(quarantine->writer, name, description, data,
				    len);
	if (err != EVERR_OK) {
		quarantine->lost++;
		return err;
	}
	quarantine->kept++;
	make_room(quarantine, bytes);
	return add_newest(quarantine, name, bytes);
}

everr_t quarantine_keep(struct quarantine *quarantine, TALLOC_CTX *mem_ctx,
			const struct quarantine_entry *entry,
			const uint8_t *data, size_t len, char **ret_name)
{
	size_t use = len;
	char *name = NULL;
	char *description = NULL;
	everr_t err;
	int dir = -1;

	if (use > quarantine->limits.entry_bytes) {
		use = (size_t)quarantine->limits.entry_bytes;
	}
	name = talloc_zero_size(mem_ctx, NAME_LEN + 1);
	description = describe(entry, len, use);
	err = name != NULL && description != NULL ? EVERR_OK : EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = quarantine_dir_open(quarantine->dir, &dir);
	}
	if (err == EVERR_OK) {
		err = refresh(quarantine, dir);
		close(dir);
	}
	if (err == EVERR_OK) {
		err = keep(quarantine, name, description, data, use);
	}
	free(description);
	if (err != EVERR_OK) {
		TALLOC_FREE(name);
		return err;
	}
	talloc_set_name_const(name, "char");
	*ret_name = name;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- read */

/* A regular file of ours; EVERR_NOT_FOUND, EVERR_IO. */
static everr_t open_file(int dir, const char *name, const char *suffix,
			 int *ret_fd, uint64_t *ret_size)
{
	char file[QUARANTINE_FILE_MAX];
	struct stat st;
	int fd;

	/* A person may have put anything there: it must not block. */
	fd = openat(dir, quarantine_file_name(file, "", name, suffix),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		return errno == ENOENT ? EVERR_NOT_FOUND : EVERR_IO;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return EVERR_NOT_FOUND;
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)st.st_size;
	return EVERR_OK;
}

/* Up to max bytes from offset on. */
static everr_t read_part(TALLOC_CTX *mem_ctx, int fd, uint64_t offset,
			 size_t max, uint8_t **ret_data, size_t *ret_len)
{
	uint8_t *data = talloc_size(mem_ctx, max + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (data == NULL) {
		return EVERR_NOMEM;
	}
	while (n > 0 && len < max) {
		n = pread(fd, data + len, max - len, (off_t)(offset + len));
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		TALLOC_FREE(data);
		return EVERR_IO;
	}
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}

/* EVERR_LIMIT: larger than max. */
static everr_t read_file(TALLOC_CTX *mem_ctx, int dir, const char *name,
			 const char *suffix, size_t max, uint8_t **ret_data,
			 size_t *ret_len)
{
	uint64_t size = 0;
	everr_t err;
	int fd = -1;

	err = open_file(dir, name, suffix, &fd, &size);
	if (err != EVERR_OK) {
		return err;
	}
	if (size > max) {
		err = EVERR_LIMIT;
	} else {
		err = read_part(mem_ctx, fd, 0, (size_t)size, ret_data,
				ret_len);
	}
	close(fd);
	return err;
}

static const char *text_member(TALLOC_CTX *mem_ctx, const json_t *json,
			       const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text != NULL ? talloc_strdup(mem_ctx, text) : NULL;
}

static void fill_entry(TALLOC_CTX *mem_ctx, const json_t *json,
		       struct quarantine_entry *entry)
{
	const char *received = NULL;
	uint64_t time = 0;

	entry->source = text_member(mem_ctx, json, "source");
	entry->reason = text_member(mem_ctx, json, "reason");
	entry->peer = text_member(mem_ctx, json, "peer");
	entry->method = text_member(mem_ctx, json, "method");
	entry->path = text_member(mem_ctx, json, "path");
	entry->content_type = text_member(mem_ctx, json, "content_type");
	entry->soap_action = text_member(mem_ctx, json, "soap_action");
	entry->complete = json_is_true(json_object_get(json, "complete"));
	entry->len =
		(uint64_t)json_integer_value(json_object_get(json, "length"));
	received = json_string_value(json_object_get(json, "received"));
	if (received != NULL && wintime_parse(received, &time) == EVERR_OK) {
		entry->received = time;
	}
}

/* One whose description somebody has damaged is shown, too. */
static everr_t parse_entry(TALLOC_CTX *mem_ctx, const char *name,
			   const char *text, size_t len,
			   struct quarantine_entry *ret_entry)
{
	struct quarantine_entry entry = {.reason = NULL};
	json_t *json = NULL;

	entry.name = talloc_strdup(mem_ctx, name);
	if (entry.name == NULL) {
		return EVERR_NOMEM;
	}
	json = text != NULL ? json_loadb(text, len, 0, NULL) : NULL;
	if (json_is_object(json)) {
		fill_entry(mem_ctx, json, &entry);
	} else {
		entry.reason = "its description cannot be read";
	}
	json_decref(json);
	*ret_entry = entry;
	return EVERR_OK;
}

static everr_t read_waiting(TALLOC_CTX *mem_ctx,
			    const struct quarantine *quarantine,
			    const char *name,
			    struct quarantine_entry *ret_entry)
{
	struct quarantine_waiting waiting;
	everr_t err;

	err = quarantine_writer_read(quarantine->writer, mem_ctx, name, 0, 0,
				     &waiting);
	if (err != EVERR_OK) {
		return err;
	}
	err = parse_entry(mem_ctx, name, waiting.description,
			  strlen(waiting.description), ret_entry);
	TALLOC_FREE(waiting.description);
	TALLOC_FREE(waiting.data);
	return err;
}

static everr_t read_entry(TALLOC_CTX *mem_ctx,
			  const struct quarantine *quarantine, int dir,
			  const char *name, struct quarantine_entry *ret_entry)
{
	uint8_t *text = NULL;
	size_t len = 0;
	everr_t err;

	err = read_waiting(mem_ctx, quarantine, name, ret_entry);
	if (err != EVERR_NOT_FOUND) {
		return err;
	}
	err = read_file(mem_ctx, dir, name, QUARANTINE_DESCRIPTION,
			DESCRIPTION_MAX, &text, &len);
	if (err == EVERR_NOMEM || err == EVERR_NOT_FOUND) {
		return err;
	}
	err = parse_entry(mem_ctx, name, (const char *)text, len, ret_entry);
	TALLOC_FREE(text);
	return err;
}

everr_t quarantine_list(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			struct quarantine_entry **ret_entries, size_t *ret_num)
{
	struct quarantine_entry *entries = NULL;
	size_t num = 0;
	size_t i;
	everr_t err;
	int dir = -1;

	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = scan(quarantine, dir, false);
	if (err == EVERR_OK) {
		entries = talloc_zero_array(
			mem_ctx, struct quarantine_entry,
			(unsigned int)(quarantine->end - quarantine->first));
		err = entries != NULL ? EVERR_OK : EVERR_NOMEM;
	}
	for (i = quarantine->first; err == EVERR_OK && i < quarantine->end;
	     i++) {
		err = read_entry(entries, quarantine, dir,
				 quarantine->items[i].name, &entries[num]);
		if (err == EVERR_OK) {
			num++;
		} else if (err == EVERR_NOT_FOUND) {
			err = EVERR_OK;
		}
	}
	close(dir);
	if (err != EVERR_OK) {
		TALLOC_FREE(entries);
		return err;
	}
	*ret_entries = entries;
	*ret_num = num;
	return EVERR_OK;
}

everr_t quarantine_next(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *after, struct quarantine_entry *ret_entry)
{
	everr_t err;
	int dir = -1;
	size_t i;

	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = refresh(quarantine, dir);
	if (err == EVERR_OK) {
		err = EVERR_NOT_FOUND;
	}
	for (i = find_after(quarantine, after);
	     err == EVERR_NOT_FOUND && i < quarantine->end; i++) {
		err = read_entry(mem_ctx, quarantine, dir,
				 quarantine->items[i].name, ret_entry);
	}
	close(dir);
	return err == EVERR_NOT_FOUND ? EVERR_END : err;
}

static everr_t read_input(TALLOC_CTX *mem_ctx,
			  const struct quarantine *quarantine, int dir,
			  const char *name, uint8_t **ret_data, size_t *ret_len)
{
	struct quarantine_waiting waiting;
	everr_t err;

	err = quarantine_writer_read(quarantine->writer, mem_ctx, name, 0,
				     READ_MAX, &waiting);
	if (err == EVERR_NOT_FOUND) {
		return read_file(mem_ctx, dir, name, QUARANTINE_INPUT, READ_MAX,
				 ret_data, ret_len);
	}
	if (err == EVERR_OK) {
		TALLOC_FREE(waiting.description);
		*ret_data = waiting.data;
		*ret_len = waiting.len;
	}
	return err;
}

everr_t quarantine_read(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *name, struct quarantine_entry *ret_entry,
			uint8_t **ret_data, size_t *ret_len)
{
	struct quarantine_entry entry;
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;
	int dir = -1;

	if (!name_valid(name)) {
		return EVERR_NOT_FOUND;
	}
	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_input(mem_ctx, quarantine, dir, name, &data, &len);
	if (err == EVERR_OK) {
		/* Its texts belong to the data's parent, as the data does. */
		err = read_entry(mem_ctx, quarantine, dir, name, &entry);
	}
	close(dir);
	if (err != EVERR_OK) {
		TALLOC_FREE(data);
		return err;
	}
	*ret_entry = entry;
	*ret_data = data;
	*ret_len = len;
	return EVERR_OK;
}

everr_t quarantine_find(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			const char *name, struct quarantine_entry *ret_entry)
{
	everr_t err;
	int dir = -1;

	if (!name_valid(name)) {
		return EVERR_NOT_FOUND;
	}
	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_entry(mem_ctx, quarantine, dir, name, ret_entry);
	close(dir);
	return err;
}

static everr_t read_file_part(TALLOC_CTX *mem_ctx,
			      const struct quarantine *quarantine,
			      const char *name, uint64_t offset, size_t max,
			      uint8_t **ret_data, size_t *ret_len,
			      uint64_t *ret_total)
{
	uint64_t total = 0;
	everr_t err;
	int dir = -1;
	int fd = -1;

	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = open_file(dir, name, QUARANTINE_INPUT, &fd, &total);
	close(dir);
	if (err != EVERR_OK) {
		return err;
	}
	if (offset > total) {
		offset = total;
	}
	if (max > total - offset) {
		max = (size_t)(total - offset);
	}
	err = read_part(mem_ctx, fd, offset, max, ret_data, ret_len);
	close(fd);
	if (err == EVERR_OK) {
		*ret_total = total;
	}
	return err;
}

everr_t quarantine_read_part(TALLOC_CTX *mem_ctx, struct quarantine *quarantine,
			     const char *name, uint64_t offset, size_t max,
			     uint8_t **ret_data, size_t *ret_len,
			     uint64_t *ret_total)
{
	struct quarantine_waiting waiting;
	everr_t err;

	if (!name_valid(name)) {
		return EVERR_NOT_FOUND;
	}
	err = quarantine_writer_read(quarantine->writer, mem_ctx, name, offset,
				     max, &waiting);
	if (err == EVERR_NOT_FOUND) {
		return read_file_part(mem_ctx, quarantine, name, offset, max,
				      ret_data, ret_len, ret_total);
	}
	if (err == EVERR_OK) {
		TALLOC_FREE(waiting.description);
		*ret_data = waiting.data;
		*ret_len = waiting.len;
		*ret_total = waiting.total;
	}
	return err;
}

/* Both files, or one that a person has left. */
static bool remove_files(struct quarantine *quarantine, int dir,
			 const char *name)
{
	uint64_t size = 0;
	bool found;

	found = file_size(dir, name, QUARANTINE_DESCRIPTION, &size);
	found = file_size(dir, name, QUARANTINE_INPUT, &size) || found;
	if (found) {
		quarantine_files_remove(dir, name);
		if (!quarantine_writer_busy(quarantine->writer)) {
			note_change(quarantine, dir);
		}
	}
	return found;
}

everr_t quarantine_remove(struct quarantine *quarantine, const char *name)
{
	everr_t err;
	bool found;
	int dir = -1;

	if (!name_valid(name)) {
		return EVERR_NOT_FOUND;
	}
	err = quarantine_dir_open(quarantine->dir, &dir);
	if (err != EVERR_OK) {
		return err;
	}
	err = refresh(quarantine, dir);
	if (err == EVERR_OK) {
		found = drop_item(quarantine, name);
		if (quarantine_writer_has(quarantine->writer, name)) {
			quarantine_writer_remove(quarantine->writer, name);
		} else {
			found = remove_files(quarantine, dir, name) || found;
		}
		err = found ? EVERR_OK : EVERR_NOT_FOUND;
	}
	close(dir);
	return err;
}

void quarantine_stats(struct quarantine *quarantine,
		      struct quarantine_stats *ret_stats)
{
	int dir = -1;

	settle(quarantine);
	if (quarantine_dir_open(quarantine->dir, &dir) == EVERR_OK) {
		/* What was known stands in for what cannot be read. */
		(void)!refresh(quarantine, dir);
		close(dir);
	}
	*ret_stats = (struct quarantine_stats){
		.kept = quarantine->kept,
		.dropped = quarantine->dropped,
		.lost = quarantine->lost,
		.entries = (uint32_t)(quarantine->end - quarantine->first),
		.bytes = quarantine->bytes,
	};
}
