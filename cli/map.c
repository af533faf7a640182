/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/map.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* For the signal's handler, which is given nothing else. */
static struct {
	uintptr_t start;
	uintptr_t end;
	uintptr_t page_size;
	volatile sig_atomic_t was_cut;
} mapped;

/* A page of zeros where the file has ended. */
static void fill_page(int sig, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	uintptr_t page = address & ~(mapped.page_size - 1);
	void *filled = MAP_FAILED;

	(void)context;
	if (address >= mapped.start && address < mapped.end) {
		/* The page's number is all there is of it. */
		filled = mmap((void *)page, /* NOLINT */
			      mapped.page_size, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	if (filled == MAP_FAILED) {
		/* Not ours: it happens again, and ends the process. */
		signal(sig, SIG_DFL);
		return;
	}
	mapped.was_cut = 1;
}

static int unmap(struct cli_map *map)
{
	signal(SIGBUS, SIG_DFL);
	mapped.start = 0;
	mapped.end = 0;
	if (map->size > 0) {
		munmap((void *)(uintptr_t)map->data, map->size);
	}
	return 0;
}

static void watch(const struct cli_map *map)
{
	struct sigaction action = {.sa_sigaction = fill_page,
				   .sa_flags = SA_SIGINFO};

	mapped.start = (uintptr_t)map->data;
	mapped.end = mapped.start + map->size;
	mapped.page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	mapped.was_cut = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

static int map_descriptor(int fd, struct cli_map *map)
{
	struct stat st;
	void *data = NULL;

	if (fstat(fd, &st) != 0) {
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (st.st_size > 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			    fd, 0);
		if (data == MAP_FAILED) {
			return -1;
		}
	}
	map->data = data;
	map->size = (size_t)st.st_size;
	return 0;
}

struct cli_map *cli_map_file(TALLOC_CTX *mem_ctx, const char *path)
{
	struct cli_map *map = talloc_zero(mem_ctx, struct cli_map);
	int saved;
	int ret;
	int fd;

	if (map == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	/* A pipe without a writer would hold open() for ever. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		saved = errno;
		TALLOC_FREE(map);
		errno = saved;
		return NULL;
	}
	ret = map_descriptor(fd, map);
	saved = errno;
	close(fd);
	if (ret != 0) {
		TALLOC_FREE(map);
		errno = saved;
		return NULL;
	}
	watch(map);
	talloc_set_destructor(map, unmap);
	return map;
}

bool cli_map_was_cut(void)
{
	return mapped.was_cut != 0;
}
