/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_SERVICE_H
#define EVENLOG_SOAP_SERVICE_H

/*
 * SOAP 1.1 and 1.2, document/literal, over soap/http.h: requests are parsed as
 * they arrive and answered in the version they came in.
 *
 * An operation gets its request as soap/node.h's tree.  Where a request is one
 * long list, the operation names the path of its items and gets each as it
 * ends, so that memory is bounded by one item, not by the request.
 *
 * XML is read without DTD (any is refused), entities but the five of XML, and
 * network.  Limits: depth, bytes of one item, attributes, names.
 */

#include "soap/http.h"
#include "soap/memory.h"
#include "soap/node.h"
#include "soap/writer.h"

#define SOAP_DEPTH_MAX 64
/* Bytes of a tree in memory: a request without its items, or one item. */
#define SOAP_TREE_MAX (16 * 1024 * 1024)
/* What is kept of a request that can't be used, for the quarantine. */
#define SOAP_REJECTED_MAX (8 * 1024 * 1024)

enum soap_version {
	SOAP_1_1,
	SOAP_1_2
};

struct soap_operation;
struct soap_service;

/*
 * What the requests of services that share it take together.  Where there is
 * no more, a request is not kept to its end, or ends in a fault ServerBusy.
 */
struct soap_budget {
	struct soap_memory kept;    /* of bodies, for the quarantine */
	struct soap_memory trees;   /* that are read */
	struct soap_memory answers; /* that wait for their peers */
};

void soap_budget_default(struct soap_budget *ret_budget);

/* One call; a talloc child of the exchange, which its children go with. */
struct soap_call {
	const struct soap_service *service;
	const struct soap_operation *operation;
	struct http_exchange *exchange;
	enum soap_version version;
	/*
	 * The operation's element, so far as it has been read and without
	 * items (their parent is there once it has begun).
	 */
	const struct soap_node *request;
	void *state;	    /* operation->state_size bytes, zero at first */
	void *private_data; /* the service's */
};

struct soap_operation {
	const char *name; /* local name of the element in Body */
	const char *ns;	  /* its namespace; NULL: the service's */
	/* "computers/ComputerRollupInfo": given one by one; NULL: none */
	const char *items;
	size_t state_size;
	/*
	 * An item has ended; it is gone when this returns.  Not called any
	 * more once a fault was given.
	 */
	void (*item)(struct soap_call *call, const struct soap_node *item);
	/* The request is complete; an answer or a fault follows, also later. */
	void (*finish)(struct soap_call *call);
};

/* A request that could not be used. */
struct soap_rejected {
	struct http_exchange *exchange;
	const char *operation;	/* NULL: not known */
	const char *reason;	/* for an administrator, without a full stop */
	const char *error_code; /* of the fault; NULL: none */
	const char *fault_id;	/* guid in the fault; NULL: none */
	const uint8_t *body;	/* as far as it was kept */
	size_t len;
	bool complete;
};

struct soap_service {
	const char *path; /* "/ReportingWebService/ReportingWebService.asmx" */
	const char *ns;
	const struct soap_operation *const *operations; /* ended by NULL */
	uint64_t body_max;
	struct soap_budget *budget; /* stays; NULL: each has its own limits */
	void *private_data;
	/*
	 * Told of each request that ends in a fault, before the answer.  NULL
	 * is allowed.
	 */
	void (*rejected)(void *private_data,
			 const struct soap_rejected *rejected);
};

/* private_data of the route is a struct soap_service, which stays. */
extern const struct http_handler soap_handler;

/*
 * An answer: the writer is inside <NameResponse xmlns='...'>; soap_answer()
 * closes it and sends.  The call must not be used afterwards, nor its request.
 * A buffer beyond max (0: 64 MiB) becomes a fault InternalServerError.
 */
struct soap_writer *soap_answer_begin(struct soap_call *call, size_t max);
void soap_answer(struct soap_call *call);

/*
 * A fault, HTTP 500.  error_code NULL: a plain soap:Client fault without
 * detail, text is its faultstring.  "InternalServerError" is the server's
 * fault, every other the client's.  message is the detail's Message ("" when
 * NULL).  The call must not be used afterwards, but for the rest of the
 * item() that it was called from.
 */
void soap_fault(struct soap_call *call, const char *error_code,
		const char *message);
/*
 * The same; rejected() is told reason, where the code and the message do not
 * say enough: a clause, "the cookie has expired".  It is not answered.
 */
void soap_fault_reason(struct soap_call *call, const char *error_code,
		       const char *message, const char *reason);
void soap_fault_text(struct soap_call *call, const char *text);

/*
 * Take no more of the body for the time being; pairs, as http_pause().  What
 * has arrived (tens of KiB) still gives its items, and where that is the end
 * of the body finish() follows; soap_resume() then does nothing.
 */
void soap_pause(struct soap_call *call);
void soap_resume(struct soap_call *call);

/* IMonitorable's Ping, which every WSUS service has. */
extern const struct soap_operation soap_ping;

#endif
