/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/image.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Page header: number, pad, flags, then lower and upper or a page count. */
#define PAGE_HEADER 16
#define PAGE_BRANCH 0x01
#define PAGE_LEAF 0x02
#define PAGE_OVERFLOW 0x04
#define PAGE_META 0x08

/* Node header: two 16-bit halves, flags, key size. */
#define NODE_HEADER 8
#define NODE_BIG 0x01

#define META_MAGIC 0xBEEFC0DEU
#define META_VERSION 1
#define META_SIZE 152 /* with the page header before it */
#define META_NOSUBDIR 0x4000
#define NUM_METAS 2

#define TREE_SIZE 48
#define DEPTH_MAX 32
#define NO_PAGE UINT64_MAX

#define PAGE_SIZE_MIN 512
#define PAGE_SIZE_MAX 32768
#define FILE_SIZE_MAX (1ULL << 47)

/* Meta pages are read anew so often while somebody commits. */
#define META_TRIES 100

struct meta {
	uint16_t env_flags;
	uint32_t page_size;
	uint64_t map_size;
	struct store_image_tree free;
	struct store_image_tree main;
	uint64_t last_page;
	uint64_t txn;
};

struct store_image {
	store_verify_fn fn;
	void *private_data;
	int fd;
	MDB_env *env;
	MDB_txn *txn; /* holds the snapshot; NULL: nobody writes */
	struct meta meta;
	uint64_t file_pages; /* that the file has at least a part of */
	bool sound;	     /* both meta pages can be shown to LMDB */
	uint8_t *used;	     /* a bit for each page */
	uint8_t *free;
	uint64_t num_used;
	uint8_t *pages[DEPTH_MAX]; /* the path of the running walk */
	uint8_t *big;		   /* the running item's overflow pages */
	size_t big_size;
};

/* A walk of one tree. */
struct walk {
	struct store_image *image;
	const struct store_image_tree *tree;
	store_image_item_fn fn;
	void *private_data;
	uint64_t branch_pages, leaf_pages, overflow_pages, entries;
	bool skipped; /* damage made it leave something out */
};

/* A key; data NULL stands for none, which is before and after all. */
struct key {
	const uint8_t *data;
	size_t len;
};

/* ------------------------------------------------------------ reports */

static void tell(struct store_image *image, enum store_verify_level level,
		 const char *where, const char *what)
{
	image->fn(level, where, what, image->private_data);
}

__attribute__((format(printf, 3, 4))) static void tell_page(struct walk *walk,
							    uint64_t page,
							    const char *fmt,
							    ...)
{
	char where[128], what[160];
	va_list ap;

	snprintf(where, sizeof(where), "page %" PRIu64 " of %s", page,
		 walk->tree->name);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	tell(walk->image, STORE_VERIFY_ERROR, where, what);
	walk->skipped = true;
}

/* --------------------------------------------------------- meta pages */

/* All bytes, or false: past the end or not readable. */
static bool read_at(int fd, uint8_t *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, data + done, len - done,
				    (off_t)(offset + done));

		if (got == -1 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

static void tree_read(const char *name, const uint8_t *p,
		      struct store_image_tree *ret_tree)
{
	*ret_tree = (struct store_image_tree){
		.name = name,
		.flags = le16_get(p + 4),
		.depth = le16_get(p + 6),
		.branch_pages = le64_get(p + 8),
		.leaf_pages = le64_get(p + 16),
		.overflow_pages = le64_get(p + 24),
		.entries = le64_get(p + 32),
		.root = le64_get(p + 40),
	};
}

everr_t store_image_subtree(const char *name, const uint8_t *data, size_t len,
			    struct store_image_tree *ret_tree)
{
	if (len != TREE_SIZE) {
		return EVERR_STORE_CORRUPT;
	}
	tree_read(name, data, ret_tree);
	return EVERR_OK;
}

/* What is wrong with a meta page, or NULL. */
static const char *meta_parse(const uint8_t *p, unsigned int number,
			      struct meta *ret_meta)
{
	struct meta meta = {
		.page_size = le32_get(p + 40),
		.map_size = le64_get(p + 32),
		.last_page = le64_get(p + 136),
		.txn = le64_get(p + 144),
	};

	tree_read("the free list", p + 40, &meta.free);
	tree_read("the table of tables", p + 88, &meta.main);

	if (le64_get(p) != number) {
		return "it has the number of another page";
	}
	if (le16_get(p + 10) != PAGE_META) {
		return "it is not marked as a meta page";
	}
	if (le32_get(p + 16) != META_MAGIC) {
		return "LMDB's magic number is missing";
	}
	if (le32_get(p + 20) != META_VERSION) {
		return "LMDB's data version is not 1";
	}
	if (le64_get(p + 24) != 0) {
		return "a fixed map address is set";
	}
	if (meta.page_size < PAGE_SIZE_MIN || meta.page_size > PAGE_SIZE_MAX ||
	    (meta.page_size & (meta.page_size - 1)) != 0) {
		return "the page size is impossible";
	}
	if (meta.map_size > FILE_SIZE_MAX || meta.last_page < NUM_METAS - 1 ||
	    meta.last_page >= meta.map_size / meta.page_size) {
		return "the last page lies outside the map";
	}
	/* The environment's flags lie here, too. */
	meta.env_flags = meta.free.flags & META_NOSUBDIR;
	meta.free.flags &= (uint16_t)~META_NOSUBDIR;
	if (meta.free.flags != STORE_IMAGE_INTEGER_KEY ||
	    meta.main.flags != 0) {
		return "the flags of the first two tables are wrong";
	}
	if (meta.txn != 0 && meta.txn % NUM_METAS != number) {
		return "its transaction belongs to the other meta page";
	}
	*ret_meta = meta;
	return NULL;
}

/* The page size stands in the first meta page; the second one lies behind. */
static bool metas_read(int fd, uint8_t pages[NUM_METAS][META_SIZE])
{
	uint32_t page_size;

	if (!read_at(fd, pages[0], META_SIZE, 0)) {
		return false;
	}
	page_size = le32_get(pages[0] + 40);
	if (page_size < PAGE_SIZE_MIN || page_size > PAGE_SIZE_MAX) {
		page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	}
	return read_at(fd, pages[1], META_SIZE, page_size);
}

/* The same twice: nobody was writing it meanwhile. */
static bool metas_read_stable(int fd, uint8_t pages[NUM_METAS][META_SIZE])
{
	uint8_t again[NUM_METAS][META_SIZE];
	unsigned int i;

	for (i = 0; i < META_TRIES; i++) {
		if (!metas_read(fd, pages) || !metas_read(fd, again)) {
			return false;
		}
		if (memcmp(pages, again, sizeof(again)) == 0) {
			return true;
		}
	}
	return true;
}

static void tell_meta(struct store_image *image, unsigned int number,
		      const char *what)
{
	char where[32];

	snprintf(where, sizeof(where), "meta page %u", number);
	tell(image, STORE_VERIFY_ERROR, where, what);
}

static everr_t meta_version(const uint8_t pages[NUM_METAS][META_SIZE])
{
	unsigned int i;

	for (i = 0; i < NUM_METAS; i++) {
		if (le32_get(pages[i] + 16) != META_MAGIC ||
		    le32_get(pages[i] + 20) == META_VERSION) {
			return EVERR_OK;
		}
	}
	return EVERR_STORE_VERSION;
}

/* Both meta pages, and what is wrong with each. */
struct metas {
	struct meta metas[NUM_METAS];
	const char *faults[NUM_METAS];
};

static everr_t metas_load(struct store_image *image, struct metas *ret_metas)
{
	uint8_t pages[NUM_METAS][META_SIZE];
	everr_t err;
	unsigned int i;

	if (!metas_read_stable(image->fd, pages)) {
		return EVERR_STORE_CORRUPT;
	}
	err = meta_version(pages);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < NUM_METAS; i++) {
		ret_metas->faults[i] =
			meta_parse(pages[i], i, &ret_metas->metas[i]);
	}
	return EVERR_OK;
}

/*
 * Transactions take turns, so the older page must be exactly one behind; a
 * wider step means that one of the numbers is wrong, and LMDB might open an
 * old state as if it were the last.
 */
static void metas_compare(struct store_image *image, const struct meta *older,
			  const struct meta *newer)
{
	if (newer->txn - older->txn > 1) {
		tell(image, STORE_VERIFY_ERROR, "meta pages",
		     "their transactions do not follow each other");
	}
	/* The file never shrinks: a number that went back gives itself away. */
	if (older->last_page > newer->last_page) {
		tell(image, STORE_VERIFY_ERROR, "meta pages",
		     "the older one knows of more pages than the newer one");
	}
	if (older->page_size != newer->page_size) {
		tell(image, STORE_VERIFY_ERROR, "meta pages",
		     "their page sizes differ");
	} else {
		image->sound = true;
	}
	if (older->map_size != newer->map_size ||
	    older->env_flags != newer->env_flags) {
		tell(image, STORE_VERIFY_NOTE, "meta pages",
		     "their map sizes or flags differ");
	}
}

/* Choose the newer meta page, or the one that can be used. */
static everr_t metas_choose(struct store_image *image)
{
	struct metas metas = {};
	unsigned int i, newer;
	everr_t err;

	err = metas_load(image, &metas);
	if (err == EVERR_STORE_CORRUPT) {
		tell(image, STORE_VERIFY_ERROR, "meta pages",
		     "the file ends inside them or they cannot be read");
	}
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < NUM_METAS; i++) {
		if (metas.faults[i] != NULL) {
			tell_meta(image, i, metas.faults[i]);
		}
	}
	if (metas.faults[0] != NULL && metas.faults[1] != NULL) {
		return EVERR_STORE_CORRUPT;
	}
	if (metas.faults[0] != NULL || metas.faults[1] != NULL) {
		image->meta = metas.metas[metas.faults[0] != NULL ? 1 : 0];
		return EVERR_OK;
	}
	newer = metas.metas[1].txn > metas.metas[0].txn ? 1 : 0;
	metas_compare(image, &metas.metas[1 - newer], &metas.metas[newer]);
	image->meta = metas.metas[newer];
	return EVERR_OK;
}

/*
 * Find the meta page of a snapshot that LMDB gave: the newer one, or the other
 * while a commit is being synced; neither when commits overtook us.
 */
static bool metas_find(struct store_image *image, uint64_t txn)
{
	struct metas metas = {};
	unsigned int i;
	everr_t err;

	err = metas_load(image, &metas);
	if (err != EVERR_OK) {
		return false;
	}
	for (i = 0; i < NUM_METAS; i++) {
		if (metas.faults[i] == NULL && metas.metas[i].txn == txn) {
			image->meta = metas.metas[i];
			return true;
		}
	}
	return false;
}

/* ----------------------------------------------------------- snapshot */

static everr_t snapshot_error(int rc)
{
	return rc == ENOMEM ? EVERR_NOMEM : EVERR_IO;
}

/* A lock file tells that the store may be in use: register as a reader. */
static everr_t snapshot_hold(struct store_image *image, const char *path)
{
	unsigned int i;
	int rc;

	rc = mdb_env_create(&image->env);
	if (rc != 0) {
		return snapshot_error(rc);
	}
	rc = mdb_env_open(image->env, path, MDB_RDONLY | MDB_NOTLS, 0);
	if (rc != 0) {
		return snapshot_error(rc);
	}
	rc = mdb_txn_begin(image->env, NULL, MDB_RDONLY, &image->txn);
	if (rc != 0) {
		return snapshot_error(rc);
	}
	for (i = 0; i < META_TRIES; i++) {
		if (metas_find(image, mdb_txn_id(image->txn))) {
			return EVERR_OK;
		}
		mdb_txn_reset(image->txn);
		rc = mdb_txn_renew(image->txn);
		if (rc != 0) {
			return snapshot_error(rc);
		}
	}
	tell(image, STORE_VERIFY_ERROR, "meta pages",
	     "LMDB takes another transaction for the last one");
	return EVERR_STORE_CORRUPT;
}

static int image_close(struct store_image *image)
{
	if (image->txn != NULL) {
		mdb_txn_abort(image->txn);
	}
	if (image->env != NULL) {
		mdb_env_close(image->env);
	}
	if (image->fd != -1) {
		close(image->fd);
	}
	return 0;
}

static everr_t image_setup(struct store_image *image, const char *path,
			   bool alone)
{
	char *file = NULL;
	char *lock_file = NULL;
	struct stat st;
	size_t bits;
	everr_t err;

	file = talloc_asprintf(image, "%s/data.mdb", path);
	lock_file = talloc_asprintf(image, "%s/lock.mdb", path);
	if (file == NULL || lock_file == NULL) {
		return EVERR_NOMEM;
	}
	image->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (image->fd == -1) {
		return errno == ENOENT || errno == ENOTDIR ? EVERR_NOT_FOUND
							   : EVERR_IO;
	}
	/* Before LMDB: it believes what the meta pages say. */
	err = metas_choose(image);
	if (err != EVERR_OK) {
		return err;
	}
	if (!alone && image->sound && access(lock_file, F_OK) == 0) {
		err = snapshot_hold(image, path);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (fstat(image->fd, &st) == -1) {
		return EVERR_IO;
	}
	image->file_pages = ((uint64_t)st.st_size + image->meta.page_size - 1) /
			    image->meta.page_size;

	bits = (size_t)(image->meta.last_page / 8 + 1);
	image->used = talloc_zero_array(image, uint8_t, bits);
	image->free = talloc_zero_array(image, uint8_t, bits);
	if (image->used == NULL || image->free == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

static everr_t image_open(TALLOC_CTX *mem_ctx, const char *path, bool alone,
			  store_verify_fn fn, void *private_data,
			  struct store_image **ret_image)
{
	struct store_image *image = NULL;
	everr_t err;

	image = talloc_zero(mem_ctx, struct store_image);
	if (image == NULL) {
		return EVERR_NOMEM;
	}
	image->fn = fn;
	image->private_data = private_data;
	image->fd = -1;
	talloc_set_destructor(image, image_close);

	err = image_setup(image, path, alone);
	if (err != EVERR_OK) {
		talloc_free(image);
		return err;
	}
	*ret_image = image;
	return EVERR_OK;
}

everr_t store_image_open(TALLOC_CTX *mem_ctx, const char *path,
			 store_verify_fn fn, void *private_data,
			 struct store_image **ret_image)
{
	return image_open(mem_ctx, path, false, fn, private_data, ret_image);
}

const struct store_image_tree *store_image_main(const struct store_image *image)
{
	return &image->meta.main;
}

uint64_t store_image_pages_done(const struct store_image *image)
{
	return image->num_used;
}

uint64_t store_image_pages(const struct store_image *image)
{
	return image->meta.last_page + 1;
}

uint64_t store_image_bytes(const struct store_image *image)
{
	return store_image_pages(image) * image->meta.page_size;
}

/* --------------------------------------------------------------- pages */

static bool bit_test(const uint8_t *bits, uint64_t n)
{
	return (bits[n / 8] >> (n % 8) & 1) != 0;
}

static void bit_set(uint8_t *bits, uint64_t n)
{
	bits[n / 8] |= (uint8_t)(1U << (n % 8));
}

/* Note that the tree uses count pages from page on; false: it may not. */
static bool claim(struct walk *walk, uint64_t page, uint64_t count)
{
	struct store_image *image = walk->image;
	uint64_t i;

	if (page < NUM_METAS || page > image->meta.last_page ||
	    count > image->meta.last_page - page + 1) {
		tell_page(walk, page, "it lies outside the file's pages");
		return false;
	}
	if (page + count > image->file_pages) {
		tell_page(walk, page, "the file ends before it");
		return false;
	}
	for (i = page; i < page + count; i++) {
		if (bit_test(image->used, i)) {
			tell_page(walk, i, "it is used twice");
			return false;
		}
	}
	for (i = page; i < page + count; i++) {
		bit_set(image->used, i);
	}
	image->num_used += count;
	return true;
}

static int key_cmp(const struct walk *walk, const struct key *a,
		   const struct key *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int cmp;

	if ((walk->tree->flags & STORE_IMAGE_INTEGER_KEY) != 0) {
		uint64_t x =
			a->len == 8 ? le64_get(a->data) : le32_get(a->data);
		uint64_t y =
			b->len == 8 ? le64_get(b->data) : le32_get(b->data);

		return x < y ? -1 : x > y;
	}
	cmp = memcmp(a->data, b->data, len);
	if (cmp != 0) {
		return cmp;
	}
	return a->len < b->len ? -1 : a->len > b->len;
}

/* One node of a page, all of it inside the page. */
struct node {
	uint32_t low; /* data size, or half a page number */
	uint16_t flags;
	struct key key;
	const uint8_t *data;
	size_t size; /* in the page, from its header on */
};

static uint16_t page_count(const uint8_t *page)
{
	return (uint16_t)((le16_get(page + 12) - PAGE_HEADER) / 2);
}

/* Read node i; false: it is not inside its page. */
static bool node_read(const struct walk *walk, const uint8_t *page,
		      unsigned int i, bool branch, struct node *ret_node)
{
	size_t page_size = walk->image->meta.page_size;
	size_t offset = le16_get(page + PAGE_HEADER + 2 * i);
	struct node node = {};
	size_t data_len = 0;

	if (offset < le16_get(page + 14) || offset % 2 != 0 ||
	    offset + NODE_HEADER > page_size) {
		return false;
	}
	node.low = le32_get(page + offset);
	node.flags = le16_get(page + offset + 4);
	node.key.len = le16_get(page + offset + 6);
	node.key.data = page + offset + NODE_HEADER;
	node.data = node.key.data + node.key.len;
	if (!branch) {
		data_len = (node.flags & NODE_BIG) != 0 ? 8 : node.low;
	}
	if (node.key.len > page_size || data_len > page_size ||
	    offset + NODE_HEADER + node.key.len + data_len > page_size) {
		return false;
	}
	node.size = NODE_HEADER + node.key.len + data_len;
	node.size += node.size % 2;
	*ret_node = node;
	return true;
}

/*
 * Every node inside the page, none over another, and together exactly the
 * space that the page says is taken.
 */
static bool nodes_fit(struct walk *walk, uint64_t number, const uint8_t *page,
		      bool branch)
{
	uint8_t taken[PAGE_SIZE_MAX / 2 / 8] = {};
	size_t page_size = walk->image->meta.page_size;
	size_t total = 0;
	unsigned int i;

	for (i = 0; i < page_count(page); i++) {
		size_t offset = le16_get(page + PAGE_HEADER + 2 * i);
		struct node node;
		size_t n;

		if (!node_read(walk, page, i, branch, &node)) {
			tell_page(walk, number, "node %u reaches outside", i);
			return false;
		}
		for (n = offset / 2; n < (offset + node.size) / 2; n++) {
			if (n < page_size / 2 && bit_test(taken, n)) {
				tell_page(walk, number,
					  "node %u lies over another", i);
				return false;
			}
			bit_set(taken, n);
		}
		total += node.size;
	}
	if (total != page_size - le16_get(page + 14)) {
		tell_page(walk, number, "its nodes do not fill its space");
		return false;
	}
	return true;
}

/* Read and check a branch or leaf page into the path; NULL: skip it. */
static everr_t page_read(struct walk *walk, uint64_t number, unsigned int level,
			 const uint8_t **ret_page)
{
	struct store_image *image = walk->image;
	size_t page_size = image->meta.page_size;
	bool branch = level + 1 < walk->tree->depth;
	uint8_t *page = image->pages[level];
	unsigned int lower, upper;

	*ret_page = NULL;
	if (!claim(walk, number, 1)) {
		return EVERR_OK;
	}
	if (page == NULL) {
		page = talloc_size(image, page_size);
		if (page == NULL) {
			return EVERR_NOMEM;
		}
		image->pages[level] = page;
	}
	if (!read_at(image->fd, page, page_size, number * page_size)) {
		tell_page(walk, number, "it cannot be read");
		return EVERR_OK;
	}
	if (le64_get(page) != number) {
		tell_page(walk, number, "it has the number of another page");
		return EVERR_OK;
	}
	if (le16_get(page + 10) != (branch ? PAGE_BRANCH : PAGE_LEAF)) {
		tell_page(walk, number, "it is not a %s page",
			  branch ? "branch" : "leaf");
		return EVERR_OK;
	}
	lower = le16_get(page + 12);
	upper = le16_get(page + 14);
	if (lower < PAGE_HEADER || lower % 2 != 0 || upper % 2 != 0 ||
	    lower > upper || upper > page_size) {
		tell_page(walk, number, "its bounds are impossible");
		return EVERR_OK;
	}
	if (page_count(page) < (branch ? 2 : 1)) {
		tell_page(walk, number, "it has too few nodes");
		return EVERR_OK;
	}
	if (!nodes_fit(walk, number, page, branch)) {
		return EVERR_OK;
	}
	*ret_page = page;
	return EVERR_OK;
}

/* The value on overflow pages; *ret_data NULL: it cannot be had. */
static everr_t big_read(struct walk *walk, const struct node *node,
			const uint8_t **ret_data)
{
	struct store_image *image = walk->image;
	size_t page_size = image->meta.page_size;
	size_t need = PAGE_HEADER + (size_t)node->low;
	uint64_t first = le64_get(node->data);
	uint8_t header[PAGE_HEADER];
	uint64_t count;

	*ret_data = NULL;
	if (first > image->meta.last_page ||
	    !read_at(image->fd, header, sizeof(header), first * page_size)) {
		tell_page(walk, first, "it cannot be read");
		return EVERR_OK;
	}
	count = le32_get(header + 12);
	if (le64_get(header) != first ||
	    le16_get(header + 10) != PAGE_OVERFLOW) {
		tell_page(walk, first, "it is not an overflow page");
		return EVERR_OK;
	}
	if (count < (need + page_size - 1) / page_size) {
		tell_page(walk, first, "its value is longer than its pages");
		return EVERR_OK;
	}
	if (!claim(walk, first, count)) {
		return EVERR_OK;
	}
	walk->overflow_pages += count;
	if (need > image->big_size) {
		TALLOC_FREE(image->big);
		image->big_size = 0;
		image->big = talloc_size(image, need);
		if (image->big == NULL) {
			return EVERR_NOMEM;
		}
		image->big_size = need;
	}
	if (!read_at(image->fd, image->big, need, first * page_size)) {
		tell_page(walk, first, "its value cannot be read");
		return EVERR_OK;
	}
	*ret_data = image->big + PAGE_HEADER;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- walk */

/* Each key above the one before it and inside what the branches say. */
static bool key_in_order(struct walk *walk, uint64_t number, unsigned int i,
			 const struct key *key, const struct key *before,
			 const struct key *low, const struct key *high)
{
	if ((walk->tree->flags & STORE_IMAGE_INTEGER_KEY) != 0 &&
	    key->len != 4 && key->len != 8) {
		tell_page(walk, number, "key %u is not an integer", i);
		return false;
	}
	if ((before->data != NULL && key_cmp(walk, before, key) >= 0) ||
	    (low->data != NULL && key_cmp(walk, low, key) > 0) ||
	    (high->data != NULL && key_cmp(walk, key, high) >= 0)) {
		tell_page(walk, number, "key %u is out of order", i);
		return false;
	}
	return true;
}

static everr_t leaf_walk(struct walk *walk, uint64_t number,
			 const uint8_t *page, const struct key *low,
			 const struct key *high)
{
	struct key before = {};
	unsigned int i;

	walk->leaf_pages++;
	for (i = 0; i < page_count(page); i++) {
		const uint8_t *data = NULL;
		struct node node;
		everr_t err;

		if (!node_read(walk, page, i, false, &node)) {
			return EVERR_OK;
		}
		walk->entries++;
		if (node.flags != 0 && node.flags != NODE_BIG &&
		    node.flags != STORE_IMAGE_SUBTREE) {
			tell_page(walk, number, "node %u has unknown flags", i);
			continue;
		}
		if (key_in_order(walk, number, i, &node.key, &before, low,
				 high)) {
			before = node.key;
		}
		data = node.data;
		if ((node.flags & NODE_BIG) != 0) {
			err = big_read(walk, &node, &data);
			if (err != EVERR_OK) {
				return err;
			}
		}
		if (data != NULL) {
			walk->fn(node.key.data, node.key.len, data, node.low,
				 node.flags, walk->private_data);
		}
	}
	return EVERR_OK;
}

static everr_t tree_walk(struct walk *walk, uint64_t number, unsigned int level,
			 const struct key *low, const struct key *high);

/* The first node's key counts for nothing: it stands for all below. */
static everr_t branch_walk(struct walk *walk, uint64_t number,
			   const uint8_t *page, unsigned int level,
			   const struct key *low, const struct key *high)
{
	struct key from = *low;
	unsigned int count = page_count(page);
	unsigned int i;

	walk->branch_pages++;
	for (i = 0; i < count; i++) {
		struct node node, after;
		struct key to = *high;
		everr_t err;

		if (!node_read(walk, page, i, true, &node)) {
			return EVERR_OK;
		}
		if (i + 1 < count &&
		    node_read(walk, page, i + 1, true, &after) &&
		    key_in_order(walk, number, i + 1, &after.key, &from, low,
				 high)) {
			to = after.key;
		}
		err = tree_walk(walk, node.low | (uint64_t)node.flags << 32,
				level + 1, &from, &to);
		if (err != EVERR_OK) {
			return err;
		}
		from = to;
	}
	return EVERR_OK;
}

/* level is below the tree's depth, which is below DEPTH_MAX. */
static everr_t tree_walk(struct walk *walk, uint64_t number, unsigned int level,
			 const struct key *low, const struct key *high)
{
	const uint8_t *page = NULL;
	everr_t err;

	err = page_read(walk, number, level, &page);
	if (err != EVERR_OK || page == NULL) {
		return err;
	}
	if (level + 1 < walk->tree->depth) {
		return branch_walk(walk, number, page, level, low, high);
	}
	return leaf_walk(walk, number, page, low, high);
}

/* What the descriptor says must be what was found, if all was found. */
static void tell_counts(struct walk *walk)
{
	const struct store_image_tree *tree = walk->tree;

	if (walk->skipped) {
		return;
	}
	if (walk->entries != tree->entries) {
		tell(walk->image, STORE_VERIFY_ERROR, tree->name,
		     "it has another number of items than it says");
	}
	if (walk->branch_pages != tree->branch_pages ||
	    walk->leaf_pages != tree->leaf_pages ||
	    walk->overflow_pages != tree->overflow_pages) {
		tell(walk->image, STORE_VERIFY_ERROR, tree->name,
		     "it has another number of pages than it says");
	}
}

everr_t store_image_walk(struct store_image *image,
			 const struct store_image_tree *tree,
			 store_image_item_fn fn, void *private_data)
{
	const struct key none = {};
	struct walk walk = {
		.image = image,
		.tree = tree,
		.fn = fn,
		.private_data = private_data,
	};
	everr_t err;

	if (tree->root != NO_PAGE) {
		if (tree->depth == 0 || tree->depth > DEPTH_MAX) {
			tell(image, STORE_VERIFY_ERROR, tree->name,
			     "its depth is impossible");
			return EVERR_OK;
		}
		err = tree_walk(&walk, tree->root, 0, &none, &none);
		if (err != EVERR_OK) {
			return err;
		}
	} else if (tree->depth != 0) {
		tell(image, STORE_VERIFY_ERROR, tree->name,
		     "it has a depth but no pages");
	}
	tell_counts(&walk);
	return EVERR_OK;
}

/* ----------------------------------------------------------- free pages */

static void free_page(struct store_image *image, uint64_t page)
{
	char where[32];

	snprintf(where, sizeof(where), "page %" PRIu64, page);
	if (page < NUM_METAS || page > image->meta.last_page) {
		tell(image, STORE_VERIFY_ERROR, where,
		     "it is listed as free but lies outside the file's pages");
		return;
	}
	/* LMDB would give it away and write over what is there. */
	if (bit_test(image->used, page)) {
		tell(image, STORE_VERIFY_ERROR, where,
		     "it is in use and listed as free");
		return;
	}
	if (bit_test(image->free, page)) {
		tell(image, STORE_VERIFY_ERROR, where,
		     "it is listed as free twice");
		return;
	}
	bit_set(image->free, page);
}

/* An item of the free list: a count, and page numbers from high to low. */
static void free_item(const uint8_t *key, size_t key_len, const uint8_t *data,
		      size_t len, unsigned int flags, void *private_data)
{
	struct store_image *image = private_data;
	uint64_t before = NO_PAGE;
	uint64_t count, i;

	count = len >= 8 ? le64_get(data) : NO_PAGE;
	if (key_len != 8 || len % 8 != 0 || count > len / 8 - 1) {
		tell(image, STORE_VERIFY_ERROR, image->meta.free.name,
		     "an item has an impossible length");
		return;
	}
	if (le64_get(key) > image->meta.txn) {
		tell(image, STORE_VERIFY_ERROR, image->meta.free.name,
		     "an item is of a transaction that is yet to come");
	}
	for (i = 1; i <= count; i++) {
		uint64_t page = le64_get(data + 8 * i);

		if (page >= before) {
			tell(image, STORE_VERIFY_ERROR, image->meta.free.name,
			     "an item is not in order");
		}
		before = page;
		free_page(image, page);
	}
}

everr_t store_image_finish(struct store_image *image)
{
	uint64_t unknown = 0;
	uint64_t missing = 0;
	uint64_t page;
	char what[80];
	everr_t err;

	/* The list is told by item, and it uses pages itself: twice over. */
	err = store_image_walk(image, &image->meta.free, free_item, image);
	if (err != EVERR_OK) {
		return err;
	}
	for (page = NUM_METAS; page <= image->meta.last_page; page++) {
		bool used = bit_test(image->used, page);

		if (used && bit_test(image->free, page)) {
			free_page(image, page);
		}
		if (!used && !bit_test(image->free, page)) {
			unknown++;
			missing += page >= image->file_pages;
		}
	}
	if (missing > 0) {
		tell(image, STORE_VERIFY_ERROR, "the file",
		     "it ends before pages that are not free");
	}
	if (unknown > 0) {
		snprintf(what, sizeof(what),
			 "%" PRIu64 " pages are neither used nor free",
			 unknown);
		tell(image, STORE_VERIFY_NOTE, "the file", what);
	}
	return EVERR_OK;
}

/* -------------------------------------------------------- before LMDB */

static void note_error(enum store_verify_level level, const char *where,
		       const char *what, void *private_data)
{
	bool *damaged = private_data;

	if (level == STORE_VERIFY_ERROR) {
		*damaged = true;
	}
}

/* Whether all pages that the file does not have are listed as free. */
static everr_t check_tail(struct store_image *image, bool *ret_free)
{
	uint64_t page;
	everr_t err;

	err = store_image_walk(image, &image->meta.free, free_item, image);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_free = true;
	for (page = image->file_pages; page <= image->meta.last_page; page++) {
		if (!bit_test(image->free, page)) {
			*ret_free = false;
		}
	}
	return EVERR_OK;
}

everr_t store_image_check(const char *path, bool alone)
{
	struct store_image *image = NULL;
	bool damaged = false;
	bool tail_free = true;
	everr_t err;

	err = image_open(NULL, path, alone, note_error, &damaged, &image);
	if (err != EVERR_OK) {
		return err;
	}
	if (image->file_pages <= image->meta.last_page) {
		err = check_tail(image, &tail_free);
	}
	if (err == EVERR_OK && (damaged || !tail_free)) {
		err = EVERR_STORE_CORRUPT;
	}
	talloc_free(image);
	return err;
}
