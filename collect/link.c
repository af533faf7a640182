/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/link.h"

#include "base/backoff.h"
#include "base/file.h"
#include "base/timers.h"
#include "base/turns.h"
#include "base/wintime.h"
#include "collect/publisher.h"
#include "collect/ticket.h"
#include "idl/ndr_even6.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A ticket is asked for anew when it ends within so long, FILETIME. */
#define TICKET_MARGIN (300 * WINTIME_SECOND)
/* Bytes of a file's name. */
#define TICKET_NAME_MAX 255

/*
 * Where links take their turn, first come, first served.  Tickets have a gate
 * of their own: a KDC that is dead holds up hosts that need it, not the rest.
 */
struct link_gate {
	uint32_t running;
	struct collect_link *first;
	struct collect_link *last;
	void (*start)(struct collect_link *link);
};

struct collect_links {
	struct tevent_context *ev;
	uint32_t max; /* running at a gate */
	struct loadparm_context *parameters;
	struct timers *timers;
	struct turns *turns;
	struct turn turn; /* at the gates */
	struct link_gate tickets;
	struct link_gate connects;

	const char *helper;
	const char *directory; /* NULL: no tickets */
	uint32_t serial;       /* of the latest link */
};

struct collect_link {
	struct collect_links *links;
	const struct collect_config *config;
	const struct collect_link_hooks *hooks;
	void *private_data;

	enum collect_link_state state;
	uint64_t since;
	uint64_t next_attempt;
	uint64_t attempts;
	uint64_t num_connects;
	struct collect_failure failure;
	uint64_t failure_time;

	struct backoff backoff;
	/* The one it waits at (queued) or runs in; NULL: in none. */
	struct link_gate *gate;
	bool queued;
	struct collect_link *prev, *next; /* of the queue */

	struct tevent_immediate *turn;
	bool ending;		/* the turn calls down */
	struct timer retry;	/* the next attempt */
	struct timer liveness;	/* up */
	struct tevent_req *req; /* of an attempt; up: the liveness call */
	/* NTLM: the password file as it was when it was read last. */
	struct stat password_stat;
	/* Monotonic, milliseconds: until then the host refuses what is in it. */
	uint64_t refused_until;
	/* Kerberos: the cache of this link, and the ticket in it. */
	const char *ccache;
	struct collect_ticket *ticket;
	struct collect_connection *connection;
	uint64_t up_since;   /* monotonic, milliseconds */
	uint64_t alive_time; /* the same, of the last answer */
};

static uint64_t monotonic_ms(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct timeval after_ms(uint64_t ms)
{
	return tevent_timeval_current_ofs((uint32_t)(ms / 1000),
					  (uint32_t)(ms % 1000) * 1000);
}

static void link_set_state(struct collect_link *link,
			   enum collect_link_state state)
{
	if (link->state != state) {
		link->state = state;
		link->since = wintime_now();
	}
}

/* ------------------------------------------------------------- the gates */

static void gate_append(struct link_gate *gate, struct collect_link *link)
{
	link->gate = gate;
	link->queued = true;
	link->prev = gate->last;
	link->next = NULL;
	if (gate->last != NULL) {
		gate->last->next = link;
	} else {
		gate->first = link;
	}
	gate->last = link;
}

static void gate_unlink(struct link_gate *gate, struct collect_link *link)
{
	if (link->prev != NULL) {
		link->prev->next = link->next;
	} else {
		gate->first = link->next;
	}
	if (link->next != NULL) {
		link->next->prev = link->prev;
	} else {
		gate->last = link->prev;
	}
	link->prev = NULL;
	link->next = NULL;
	link->queued = false;
}

static void links_schedule(struct collect_links *links)
{
	turn_schedule(links->turns, &links->turn);
}

static void gate_enter(struct collect_link *link, struct link_gate *gate)
{
	gate_append(gate, link);
	links_schedule(link->links);
}

static void gate_leave(struct collect_link *link)
{
	struct link_gate *gate = link->gate;

	if (gate == NULL) {
		return;
	}
	if (link->queued) {
		gate_unlink(gate, link);
	} else {
		gate->running--;
		links_schedule(link->links);
	}
	link->gate = NULL;
}

static void gate_run(struct collect_links *links, struct link_gate *gate)
{
	struct collect_link *link = gate->first;

	if (link == NULL || gate->running >= links->max) {
		return;
	}
	gate_unlink(gate, link);
	gate->running++;
	links_schedule(links);
	gate->start(link);
}

/*
 * One of each gate in a turn: an attempt costs up to a millisecond before it
 * waits for anything, and where a network is down a thousand of them end at
 * once, each with the start of the next.
 */
static void links_turn(void *private_data)
{
	struct collect_links *links =
		talloc_get_type_abort(private_data, struct collect_links);

	gate_run(links, &links->tickets);
	gate_run(links, &links->connects);
}

/* ------------------------------------------------- the end of an attempt */

/* NULL: there is none. */
static const char *ticket_path(const struct collect_link *link)
{
	return link->ccache != NULL ? link->ccache + strlen("FILE:") : NULL;
}

static bool link_needs_ticket(const struct collect_link *link)
{
	if (link->config->auth != COLLECT_AUTH_KERBEROS) {
		return false;
	}
	return link->ticket == NULL ||
	       link->ticket->end < wintime_now() + TICKET_MARGIN ||
	       access(ticket_path(link), F_OK) != 0;
}

static void link_begin(struct collect_link *link)
{
	struct collect_links *links = link->links;

	gate_enter(link, link_needs_ticket(link) ? &links->tickets
						 : &links->connects);
}

static void link_retry(void *private_data)
{
	struct collect_link *link =
		talloc_get_type_abort(private_data, struct collect_link);

	link->next_attempt = 0;
	link_begin(link);
}

static void link_wait(struct collect_link *link)
{
	uint32_t random = 0;
	uint32_t wait;

	/* Without entropy there is no jitter, which does no harm. */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	wait = backoff_next(&link->backoff, random);

	link_set_state(link, COLLECT_LINK_WAITING);
	link->next_attempt = wintime_now() + wait * (WINTIME_SECOND / 1000);
	timer_set(link->links->timers, &link->retry, wait);
}

static void link_down_turn(struct tevent_context *ev,
			   struct tevent_immediate *im, void *private_data)
{
	struct collect_link *link =
		talloc_get_type_abort(private_data, struct collect_link);
	struct collect_connection *connection = link->connection;
	struct collect_failure why = link->failure;

	TALLOC_FREE(link->req);
	if (connection != NULL) {
		if (monotonic_ms() - link->up_since >= COLLECT_LINK_STABLE) {
			backoff_reset(&link->backoff);
		}
		/* Not with the link, if the hook frees that. */
		talloc_steal(link->links, connection);
		link->connection = NULL;
	}
	link->ending = false;
	link_wait(link);

	/* The last that is done with link. */
	link->hooks->down(&why, link->private_data);
	talloc_free(connection);
}

/* The attempt or the connection is over; link->failure says why. */
static void link_end(struct collect_link *link)
{
	link->failure_time = wintime_now();
	link->ending = true;
	timer_cancel(&link->liveness);
	gate_leave(link);
	tevent_schedule_immediate(link->turn, link->links->ev, link_down_turn,
				  link);
}

static void link_nomem(struct collect_link *link)
{
	collect_failure_set(&link->failure, EVERR_NOMEM, "%s: out of memory",
			    link->config->host);
	link_end(link);
}

/* -------------------------------------------------------------- liveness */

static void liveness_start(struct collect_link *link, uint64_t ms)
{
	if (link->config->liveness != 0) {
		timer_set(link->links->timers, &link->liveness, ms);
	}
}

static void liveness_answered(struct tevent_req *subreq)
{
	struct collect_link *link =
		tevent_req_callback_data(subreq, struct collect_link);
	struct collect_failure failure = {0};
	const char *text = NULL;
	bool silent;
	everr_t err;

	err = collect_display_name_recv(subreq, subreq, &text, &failure);
	TALLOC_FREE(link->req);
	if (link->ending) {
		return;
	}
	/* What a server says, it says alive, whatever it is. */
	silent = failure.win32 == 0 &&
		 (err == EVERR_TIMEOUT || err == EVERR_CONNECT);
	if (silent || !collect_connection_alive(link->connection)) {
		if (!silent) {
			collect_failure_set(&failure, EVERR_CONNECT,
					    "%s: the connection was closed",
					    link->config->host);
		}
		link->failure = failure;
		link_end(link);
		return;
	}
	link->alive_time = monotonic_ms();
	liveness_start(link, link->config->liveness * 1000);
}

/*
 * A call that any server answers at once, and with which nothing is opened
 * there: opnum 28.  There need not be a log of that name.  The answer may take
 * as long as the silence before it.
 */
static void liveness_ask(struct collect_link *link)
{
	uint64_t wait = link->config->liveness < COLLECT_CALL_TIMEOUT
				? link->config->liveness
				: COLLECT_CALL_TIMEOUT;

	link->req = collect_display_name_send(
		link, link->links->ev, link->connection, "Application", 0);
	if (link->req == NULL ||
	    !tevent_req_set_endtime(link->req, link->links->ev,
				    after_ms(wait * 1000))) {
		link_nomem(link);
		return;
	}
	tevent_req_set_callback(link->req, liveness_answered, link);
}

static void liveness_timer(void *private_data)
{
	struct collect_link *link =
		talloc_get_type_abort(private_data, struct collect_link);
	uint64_t bound = link->config->liveness * 1000;
	uint64_t silent = monotonic_ms() - link->alive_time;

	if (silent < bound) {
		liveness_start(link, bound - silent);
		return;
	}
	liveness_ask(link);
}

/* ------------------------------------------------------------ an attempt */

static void link_up_turn(struct tevent_context *ev, struct tevent_immediate *im,
			 void *private_data)
{
	struct collect_link *link =
		talloc_get_type_abort(private_data, struct collect_link);

	link->hooks->up(link->connection, link->private_data);
}

/*
 * A password that was refused is not tried again at each attempt: where the
 * account is one of a domain, a few of them lock it, for everybody.
 */
static void link_note_refusal(struct collect_link *link, everr_t err,
			      const struct collect_failure *failure)
{
	NTSTATUS status = NT_STATUS(failure->status);
	bool refused = link->config->auth == COLLECT_AUTH_NTLM &&
		       err == EVERR_AUTH &&
		       (NT_STATUS_EQUAL(status, NT_STATUS_LOGON_FAILURE) ||
			NT_STATUS_EQUAL(status, NT_STATUS_WRONG_PASSWORD));

	link->refused_until =
		refused ? monotonic_ms() + link->backoff.max_ms : 0;
}

/* Whether the file is the one whose password the host has just refused. */
static bool link_is_refused(struct collect_link *link)
{
	const struct stat *old = &link->password_stat;
	struct stat st = {0};

	if (monotonic_ms() >= link->refused_until ||
	    stat(link->config->password_file, &st) != 0) {
		return false;
	}
	return st.st_dev == old->st_dev && st.st_ino == old->st_ino &&
	       st.st_size == old->st_size &&
	       st.st_mtim.tv_sec == old->st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

static void link_connected(struct tevent_req *subreq)
{
	struct collect_link *link =
		tevent_req_callback_data(subreq, struct collect_link);
	struct collect_failure failure = {0};
	everr_t err;

	err = collect_connect_recv(subreq, link, &link->connection, &failure);
	TALLOC_FREE(link->req);
	link_note_refusal(link, err, &failure);
	if (err == EVERR_AUTH) {
		/* The host's key may be another one by now. */
		TALLOC_FREE(link->ticket);
	}
	if (err != EVERR_OK) {
		link->failure = failure;
		link_end(link);
		return;
	}
	gate_leave(link);
	link->num_connects++;
	link->up_since = monotonic_ms();
	link->alive_time = link->up_since;
	link_set_state(link, COLLECT_LINK_UP);
	tevent_schedule_immediate(link->turn, link->links->ev, link_up_turn,
				  link);
	liveness_start(link, link->config->liveness * 1000);
}

static int wipe(char *secret)
{
	explicit_bzero(secret, talloc_get_size(secret));
	return 0;
}

/* What file_read_all() found. */
static const char *read_error_text(everr_t err)
{
	switch (err) {
	case EVERR_IO:
		return strerror(errno);
	case EVERR_NOT_SUPPORTED:
		return "it is not a regular file";
	case EVERR_LIMIT:
		return "it is too large";
	default:
		return everr_text(err);
	}
}

/* The first line of the file, wiped when it is freed. */
static bool link_password(struct collect_link *link, char **ret_password)
{
	const struct collect_config *config = link->config;
	const char *path = config->password_file;
	const char *fault = NULL;
	char *text = NULL;
	size_t len = 0;
	everr_t err;

	if (path == NULL) {
		collect_failure_set(&link->failure, EVERR_CONFIG,
				    "%s: there is no password file",
				    config->host);
		return false;
	}
	/* Before it is read: one that changes meanwhile is another one. */
	link->password_stat = (struct stat){0};
	(void)!stat(path, &link->password_stat);
	err = file_read_all(link, path, COLLECT_PASSWORD_FILE_MAX, &text, &len);
	if (err != EVERR_OK) {
		collect_failure_set(&link->failure, err,
				    "%s: cannot read the password file %s: %s",
				    config->host, path, read_error_text(err));
		return false;
	}
	talloc_set_destructor(text, wipe);
	text[strcspn(text, "\r\n")] = '\0';
	fault = collect_password_fault(text);
	if (fault != NULL) {
		TALLOC_FREE(text);
		collect_failure_set(&link->failure, EVERR_AUTH,
				    "%s: the first line of the password file"
				    " %s %s",
				    config->host, path, fault);
		return false;
	}
	*ret_password = text;
	return true;
}

static void link_connect(struct collect_link *link)
{
	const struct collect_config *config = link->config;
	struct collect_target target = {
		.host = config->host,
		.port = config->port,
		.mapper_port = config->mapper_port,
		.parameters = link->links->parameters,
		.user = config->user,
		.domain = config->domain,
	};
	char *password = NULL;

	if (link_is_refused(link)) {
		link_end(link);
		return;
	}
	if (link->state == COLLECT_LINK_WAITING) {
		link->attempts++;
	}
	link_set_state(link, COLLECT_LINK_CONNECTING);
	if (config->auth == COLLECT_AUTH_KERBEROS) {
		target.kerberos = true;
		target.ccache = link->ccache;
		target.principal = link->ticket->principal;
		target.ticket_end = link->ticket->end;
	} else {
		if (!link_password(link, &password)) {
			link_end(link);
			return;
		}
		target.password = password;
	}
	link->req = collect_connect_send(link, link->links->ev, &target,
					 &ndr_table_even6);
	TALLOC_FREE(password);
	if (link->req == NULL) {
		link_nomem(link);
		return;
	}
	tevent_req_set_callback(link->req, link_connected, link);
}

static void link_ticketed(struct tevent_req *subreq)
{
	struct collect_link *link =
		tevent_req_callback_data(subreq, struct collect_link);
	struct collect_failure failure = {0};
	everr_t err;

	TALLOC_FREE(link->ticket);
	err = collect_ticket_recv(subreq, link, &link->ticket, &failure);
	TALLOC_FREE(link->req);
	if (err != EVERR_OK) {
		link->failure = failure;
		link_end(link);
		return;
	}
	gate_leave(link);
	gate_enter(link, &link->links->connects);
}

/*
 * The directory is for this user alone: whoever reads a ticket is the
 * collector to the host it is for.  Looked at each time: it may go, as what is
 * below /run does, and it concerns no host but those that need tickets.
 */
static bool link_ticket_directory(struct collect_link *link)
{
	const char *directory = link->links->directory;
	const char *host = link->config->host;
	struct stat st;

	if (directory == NULL) {
		collect_failure_set(&link->failure, EVERR_CONFIG,
				    "%s: there is no directory for Kerberos"
				    " tickets",
				    host);
		return false;
	}
	if ((mkdir(directory, 0700) != 0 && errno != EEXIST) ||
	    lstat(directory, &st) != 0) {
		collect_failure_set(&link->failure, EVERR_IO,
				    "%s: cannot make the ticket directory"
				    " %s: %s",
				    host, directory, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		collect_failure_set(&link->failure, EVERR_IO,
				    "%s: the ticket directory %s cannot be"
				    " used: it must be a directory of the"
				    " service's own user, mode 0700",
				    host, directory);
		return false;
	}
	return true;
}

static void link_ask_ticket(struct collect_link *link)
{
	const struct collect_config *config = link->config;
	const struct collect_ticket_request request = {
		.helper = link->links->helper,
		.host = config->host,
		.keytab = config->keytab,
		.principal = config->principal,
		.ccache = config->ccache,
		.out = ticket_path(link),
	};

	link->attempts++;
	link_set_state(link, COLLECT_LINK_TICKET);
	if (!link_ticket_directory(link)) {
		link_end(link);
		return;
	}
	link->req = collect_ticket_send(link, link->links->ev, &request);
	if (link->req == NULL) {
		link_nomem(link);
		return;
	}
	tevent_req_set_callback(link->req, link_ticketed, link);
}

/* -------------------------------------------------------- the interface */

static bool links_tickets(struct collect_links *links,
			  const struct collector_config *config)
{
	if (config->ticket_directory == NULL || config->ticket_helper == NULL) {
		return true;
	}
	links->helper = talloc_strdup(links, config->ticket_helper);
	links->directory = talloc_strdup(links, config->ticket_directory);
	return links->helper != NULL && links->directory != NULL;
}

everr_t collect_links_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     const struct collector_config *config,
			     struct collect_links **ret_links)
{
	struct collect_links *links = NULL;
	everr_t err;

	links = talloc_zero(mem_ctx, struct collect_links);
	if (links == NULL) {
		return EVERR_NOMEM;
	}
	links->ev = ev;
	links->max = config->connects > 0 ? config->connects : 1;
	links->tickets.start = link_ask_ticket;
	links->connects.start = link_connect;
	links->parameters = collect_parameters(links);
	links->turn = (struct turn){.fn = links_turn, .private_data = links};
	if (links->parameters == NULL || !links_tickets(links, config)) {
		TALLOC_FREE(links);
		return EVERR_NOMEM;
	}
	err = turns_create(links, ev, &links->turns);
	if (err == EVERR_OK) {
		err = timers_create(links, ev, &links->timers);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(links);
		return err;
	}
	*ret_links = links;
	return EVERR_OK;
}

static int link_destructor(struct collect_link *link)
{
	timer_cancel(&link->retry);
	timer_cancel(&link->liveness);
	TALLOC_FREE(link->req);
	TALLOC_FREE(link->connection);
	if (link->ccache != NULL) {
		(void)unlink(ticket_path(link));
	}
	gate_leave(link);
	return 0;
}

/*
 * A cache of its own for each link, also of one that takes the place of
 * another for the same host.  The number alone would do; the name is for who
 * looks into the directory.
 */
static char *link_ccache(TALLOC_CTX *mem_ctx, struct collect_links *links,
			 const char *host)
{
	char name[TICKET_NAME_MAX - 16];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && host[i] != '\0'; i++) {
		bool is_plain = host[i] != '/' && host[i] > ' ';

		name[i] = is_plain ? host[i] : '_';
	}
	name[i] = '\0';
	links->serial++;
	return talloc_asprintf(mem_ctx, "FILE:%s/%u-%s", links->directory,
			       links->serial, name);
}

static uint32_t backoff_bound(const struct collect_config *config)
{
	const uint64_t most = UINT32_MAX / 1000;
	uint64_t seconds =
		config->backoff_max < most ? config->backoff_max : most;

	if (seconds * 1000 < COLLECT_BACKOFF_MIN) {
		return COLLECT_BACKOFF_MIN;
	}
	return (uint32_t)seconds * 1000;
}

struct collect_link *collect_link_create(TALLOC_CTX *mem_ctx,
					 struct collect_links *links,
					 const struct collect_config *config,
					 const struct collect_link_hooks *hooks,
					 void *private_data)
{
	struct collect_link *link = NULL;

	link = talloc_zero(mem_ctx, struct collect_link);
	if (link == NULL) {
		return NULL;
	}
	link->turn = tevent_create_immediate(link);
	if (link->turn == NULL) {
		TALLOC_FREE(link);
		return NULL;
	}
	if (config->auth == COLLECT_AUTH_KERBEROS && links->directory != NULL) {
		link->ccache = link_ccache(link, links, config->host);
		if (link->ccache == NULL) {
			TALLOC_FREE(link);
			return NULL;
		}
	}
	link->links = links;
	link->config = config;
	link->hooks = hooks;
	link->private_data = private_data;
	link->retry = (struct timer){.fn = link_retry, .private_data = link};
	link->liveness =
		(struct timer){.fn = liveness_timer, .private_data = link};
	link->state = COLLECT_LINK_WAITING;
	link->since = wintime_now();
	link->backoff.min_ms = COLLECT_BACKOFF_MIN;
	link->backoff.max_ms = backoff_bound(config);
	talloc_set_destructor(link, link_destructor);
	link_begin(link);
	return link;
}

void collect_link_broken(struct collect_link *link,
			 const struct collect_failure *why)
{
	if (link->connection == NULL || link->ending) {
		return;
	}
	link->failure = *why;
	link_end(link);
}

void collect_link_alive(struct collect_link *link)
{
	link->alive_time = monotonic_ms();
}

void collect_link_info(const struct collect_link *link,
		       struct collect_link_info *ret_info)
{
	*ret_info = (struct collect_link_info){
		.state = link->state,
		.since = link->since,
		.next_attempt = link->next_attempt,
		.attempts = link->attempts,
		.connects = link->num_connects,
		.failure = link->failure,
		.failure_time = link->failure_time,
	};
}
