/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_eval.h"

#include "event/filter_fold.h"

/* Milliseconds in FILETIME units. */
#define UNITS_PER_MS 10000.0

/* What is wanted of the nodes at the end of a path. */
enum sink_kind {
	SINK_EXISTS,  /* is there one? */
	SINK_COMPARE, /* does one compare? */
	SINK_BITS,    /* the first one as an integer */
	SINK_TIME     /* the first one as a time */
};

struct sink {
	uint8_t kind;
	uint8_t op;
	bool found;
	const struct filter_literal *literal;
	uint64_t result;
};

/* A node while its predicates are looked at. */
struct context {
	struct filter_level *level;
	uint32_t ranges; /* of the level's plan; XPATH_NONE: no children */
};

static bool eval_expr(struct filter_eval *eval, uint32_t expr,
		      const struct context *context);

/* --------------------------------------------------------------- sinks */

/* What is compared, or converted, for a step of work. */
#define BYTES_PER_STEP 32
/* And for what a text or a number takes beside its length. */
#define CONVERSION_BYTES 96

static bool is_text(const struct filter_operand *operand)
{
	return operand->class == FILTER_UTF8 || operand->class == FILTER_UTF16;
}

/* Long texts count as much as many short ones; so do conversions. */
static size_t compared_bytes(const struct sink *sink,
			     const struct filter_operand *operand)
{
	const struct filter_literal *literal = sink->literal;
	size_t bytes = literal->len;

	/* A text into what the constant is; it is short, or is none. */
	if (is_text(operand) && (literal->is & ~FILTER_IS_BOOL) != 0) {
		size_t typed = operand->len < FILTER_TYPED_BYTES_MAX
				       ? operand->len
				       : FILTER_TYPED_BYTES_MAX;

		/* Long rows of digits take twice as long. */
		bytes += CONVERSION_BYTES + 2 * typed;
	}
	/* A value into text. */
	if (operand->class == FILTER_OTHER ||
	    (operand->class == FILTER_UTF16 && sink->op > XPATH_NE)) {
		bytes += CONVERSION_BYTES + operand->value.len;
	} else if (!is_text(operand) && literal->is == 0) {
		bytes += CONVERSION_BYTES;
	}
	return bytes;
}

static bool charge_compare(struct filter_eval *eval, const struct sink *sink,
			   const struct filter_operand *operand)
{
	size_t bytes = CONVERSION_BYTES;

	if (sink->kind == SINK_COMPARE) {
		bytes = compared_bytes(sink, operand);
	}
	return filter_charge(eval->reader, (uint32_t)(bytes / BYTES_PER_STEP));
}

static bool sink_take(struct filter_eval *eval, struct sink *sink,
		      const struct filter_operand *operand)
{
	if (sink->kind != SINK_EXISTS && !charge_compare(eval, sink, operand)) {
		return true;
	}
	switch ((enum sink_kind)sink->kind) {
	case SINK_EXISTS:
		sink->found = true;
		return true;
	case SINK_COMPARE:
		sink->found =
			filter_compare(operand, (enum xpath_op)sink->op,
				       sink->literal, &eval->reader->scratch);
		return sink->found;
	case SINK_BITS:
		sink->found = filter_operand_bits(operand, &sink->result);
		return true;
	case SINK_TIME:
		sink->found = filter_operand_time(operand, &sink->result);
		return true;
	}
	return true;
}

/* ------------------------------------------------------ the event's header */

static const uint8_t has_bits[EVENT_SYSTEM_NUM] = {
	[EVENT_SYSTEM_PROVIDER] = EVENT_HAS_PROVIDER,
	[EVENT_SYSTEM_EVENT_ID] = EVENT_HAS_EVENT_ID,
	[EVENT_SYSTEM_VERSION] = EVENT_HAS_VERSION,
	[EVENT_SYSTEM_LEVEL] = EVENT_HAS_LEVEL,
	[EVENT_SYSTEM_TASK] = EVENT_HAS_TASK,
	[EVENT_SYSTEM_OPCODE] = EVENT_HAS_OPCODE,
	[EVENT_SYSTEM_KEYWORDS] = EVENT_HAS_KEYWORDS,
	[EVENT_SYSTEM_TIME] = EVENT_HAS_TIME,
};

static uint64_t header_number(const struct event_header *header, uint8_t field)
{
	switch (field) {
	case EVENT_SYSTEM_EVENT_ID:
		return header->event_id;
	case EVENT_SYSTEM_VERSION:
		return header->version;
	case EVENT_SYSTEM_LEVEL:
		return header->level;
	case EVENT_SYSTEM_TASK:
		return header->task;
	case EVENT_SYSTEM_OPCODE:
		return header->opcode;
	case EVENT_SYSTEM_KEYWORDS:
		return header->keywords;
	default:
		return header->time_created;
	}
}

static bool is_unsigned(uint8_t type)
{
	return type == EVENT_TYPE_UINT8 || type == EVENT_TYPE_UINT16 ||
	       type == EVENT_TYPE_UINT32 || type == EVENT_TYPE_UINT64 ||
	       type == EVENT_TYPE_HEXINT32 || type == EVENT_TYPE_HEXINT64;
}

/*
 * The header has a hash of the name only: another hash is another name, the
 * same one must be looked at.
 */
static bool provider_differs(const struct event_header *header,
			     const struct sink *sink)
{
	return sink->kind == SINK_COMPARE && sink->op == XPATH_EQ &&
	       sink->literal->is == 0 &&
	       sink->literal->hash != header->provider_hash;
}

/* The type that the header's field was read from, if that is all of it. */
static bool type_is_exact(uint8_t field, uint8_t type)
{
	switch (field) {
	case EVENT_SYSTEM_PROVIDER:
		return type == EVENT_TYPE_STRING;
	case EVENT_SYSTEM_TIME:
		return type == EVENT_TYPE_FILETIME;
	default:
		return is_unsigned(type);
	}
}

/*
 * The fields for which the event's header answers: the template puts nothing
 * but one value there, whose type is what the header was read from.
 */
static void find_ready(struct filter_eval *eval,
		       const struct filter_level *level)
{
	const struct event_header *header = eval->reader->view->header;
	uint16_t asked = eval->asked_fields & level->plan->exact;
	uint8_t i;

	eval->ready = 0;
	for (i = 0; asked >> i != 0; i++) {
		if ((asked >> i & 1) != 0 && (header->has & has_bits[i]) != 0 &&
		    type_is_exact(
			    i, filter_level_type(level,
						 level->plan->field_ids[i]))) {
			eval->ready |= (uint16_t)(1U << i);
			eval->numbers[i] = header_number(header, i);
		}
	}
}

struct filter_term filter_find_term(const struct xpath *xpath,
				    const struct filter_literal *literals,
				    const uint8_t *fields,
				    const struct xpath_expr *expr)
{
	const struct filter_term none = {.field = FILTER_NO_FIELD};
	const struct filter_literal *literal = NULL;
	const struct xpath_step *step = NULL;
	uint8_t field;

	if (expr->kind != XPATH_COMPARE ||
	    xpath->exprs[expr->first].kind != XPATH_PATH) {
		return none;
	}
	step = &xpath->steps[xpath->exprs[expr->first].first];
	literal = &literals[expr->literal];
	field = fields[step->test];
	if (field == EVENT_SYSTEM_PROVIDER || field == EVENT_SYSTEM_TIME ||
	    step->next != XPATH_NONE || step->first_predicate != XPATH_NONE ||
	    !literal->number.exact || literal->number.negative) {
		return none;
	}
	return (struct filter_term){field, expr->op, literal->number.magnitude};
}

/* Of a string the header has only what can be converted without it. */
static bool header_suffices(const struct sink *sink, bool time)
{
	if (sink->kind != SINK_COMPARE) {
		return true;
	}
	return (sink->literal->is &
		(time ? FILTER_IS_TIME : FILTER_IS_NUMBER)) != 0;
}

/* Does the header answer for the field at the end of a path? */
static bool ask_header(struct filter_eval *eval, uint8_t field,
		       struct sink *sink, bool *ret_stop)
{
	const struct event_header *header = eval->reader->view->header;
	bool time = field == EVENT_SYSTEM_TIME;
	struct filter_operand operand;

	if (field == EVENT_SYSTEM_PROVIDER) {
		*ret_stop = false;
		return provider_differs(header, sink);
	}
	if (!header_suffices(sink, time)) {
		return false;
	}
	operand.class = time ? FILTER_TIME : FILTER_INTEGER;
	operand.negative = false;
	operand.magnitude = eval->numbers[field];
	*ret_stop = sink_take(eval, sink, &operand);
	return true;
}

/* --------------------------------------------------------------- paths */

static bool walk(struct filter_eval *eval, const struct context *context,
		 uint32_t step, struct sink *sink);

static bool failed(const struct filter_eval *eval)
{
	return eval->reader->err != EVERR_OK;
}

/* Predicates in order: each counts the nodes that those before let pass. */
static bool passes_predicates(struct filter_eval *eval, uint32_t step,
			      const struct context *context)
{
	const struct xpath *xpath = eval->xpath;
	uint32_t i = xpath->steps[step].first_predicate;

	for (; i != XPATH_NONE; i = xpath->predicates[i].next) {
		eval->positions[i]++;
		if (!eval_expr(eval, xpath->predicates[i].expr, context)) {
			return false;
		}
	}
	return true;
}

static bool get_operand(struct filter_eval *eval, struct filter_level *level,
			const struct filter_item *item,
			struct filter_operand *ret_operand)
{
	if (item->kind == FILTER_ATTRIBUTE) {
		return filter_attribute_operand(eval->reader, level, item,
						ret_operand);
	}
	return filter_element_operand(eval->reader, level, item, ret_operand);
}

/* A node that passed its test.  True: no further one is wanted. */
static bool at_node(struct filter_eval *eval, struct filter_level *level,
		    const struct filter_item *item, uint32_t step,
		    struct sink *sink)
{
	const struct context context = {level, item->kind == FILTER_ELEMENT
						       ? item->ranges
						       : XPATH_NONE};
	const struct xpath_step *s = &eval->xpath->steps[step];
	struct filter_operand operand;

	if (s->first_predicate != XPATH_NONE &&
	    !passes_predicates(eval, step, &context)) {
		return failed(eval);
	}
	if (s->next != XPATH_NONE) {
		return walk(eval, &context, s->next, sink);
	}
	/* Elements are there when they are met, whatever they say. */
	if (sink->kind == SINK_EXISTS && item->kind == FILTER_ELEMENT) {
		sink->found = true;
		return true;
	}
	if (!get_operand(eval, level, item, &operand)) {
		return failed(eval);
	}
	return sink_take(eval, sink, &operand);
}

static bool at_text(struct filter_eval *eval, struct filter_level *level,
		    const struct filter_item *item, uint32_t step,
		    struct sink *sink)
{
	const struct context context = {level, XPATH_NONE};
	struct filter_operand operand;
	uint32_t part = item->index;

	while (part != EVENT_PLAN_NONE && !failed(eval)) {
		if (filter_text_operand(eval->reader, level, &part, &operand) &&
		    passes_predicates(eval, step, &context) &&
		    sink_take(eval, sink, &operand)) {
			return true;
		}
	}
	return failed(eval);
}

static bool any_array(const struct filter_level *level,
		      const struct filter_item *item)
{
	const uint16_t *ids = level->plan->ids + item->first_id;
	uint32_t i;

	for (i = 0; i < item->num_ids; i++) {
		if ((filter_level_type(level, ids[i]) & EVENT_TYPE_ARRAY) !=
		    0) {
			return true;
		}
	}
	return false;
}

/* Once for each item of the array that the element stands for. */
static bool at_repeated(struct filter_eval *eval, struct filter_level *level,
			const struct filter_item *item, uint32_t step,
			struct sink *sink)
{
	struct event_scope *scope = &level->scope;
	struct event_loop loop;
	bool stop = false;

	if (!filter_level_open(eval->reader, level)) {
		return true;
	}
	if (!event_loop_find(scope, level->plan->ids + item->first_id,
			     item->num_ids, &loop)) {
		return at_node(eval, level, item, step, sink);
	}
	while (!stop && event_loop_next(scope, &loop)) {
		stop = !filter_charge(eval->reader, loop.depth) ||
		       at_node(eval, level, item, step, sink);
	}
	event_loop_end(scope, &loop);
	return stop;
}

/*
 * The event's own element is there whatever its values are; others are left
 * out for a Null that they depend on, and repeated for arrays.
 */
static bool at_element(struct filter_eval *eval, struct filter_level *level,
		       const struct filter_item *item, uint32_t step,
		       struct sink *sink)
{
	if (item->is_root && level->top) {
		return at_node(eval, level, item, step, sink);
	}
	if (item->dependency != EVENT_NO_DEPENDENCY &&
	    filter_level_type(level, item->dependency) == EVENT_TYPE_NULL) {
		return false;
	}
	if (item->num_ids > 0 && any_array(level, item)) {
		return at_repeated(eval, level, item, step, sink);
	}
	return at_node(eval, level, item, step, sink);
}

static bool walk_range(struct filter_eval *eval, struct filter_level *level,
		       const struct filter_range *range, uint32_t step,
		       struct sink *sink);

/* The elements of another template, or of a document, in this place. */
static bool at_nested(struct filter_eval *eval, struct filter_level *level,
		      const struct filter_item *item, uint32_t step,
		      struct sink *sink)
{
	const struct xpath_test *test = &eval->xpath->tests[item->test];
	struct filter_level *inner = NULL;

	if (item->kind == FILTER_NESTED) {
		inner = filter_level_nested(eval->reader, level, item->id,
					    test->parent);
	} else {
		inner = filter_level_instance(eval->reader, level, item->index,
					      test->parent);
	}
	if (inner == NULL) {
		return failed(eval);
	}
	return walk_range(eval, inner, &inner->plan->ranges[test->slot], step,
			  sink);
}

static bool at_item(struct filter_eval *eval, struct filter_level *level,
		    const struct filter_item *item, uint32_t step,
		    struct sink *sink)
{
	if (!filter_charge(eval->reader, 1)) {
		return true;
	}
	switch ((enum filter_item_kind)item->kind) {
	case FILTER_ELEMENT:
		return at_element(eval, level, item, step, sink);
	case FILTER_ATTRIBUTE:
		return at_node(eval, level, item, step, sink);
	case FILTER_TEXT:
		return at_text(eval, level, item, step, sink);
	case FILTER_NESTED:
	case FILTER_INSTANCE:
		return at_nested(eval, level, item, step, sink);
	}
	return false;
}

static bool walk_range(struct filter_eval *eval, struct filter_level *level,
		       const struct filter_range *range, uint32_t step,
		       struct sink *sink)
{
	const struct filter_item *items = level->plan->items + range->first;
	uint32_t i;

	for (i = 0; i < range->count; i++) {
		if (at_item(eval, level, &items[i], step, sink)) {
			return true;
		}
	}
	return false;
}

/* The same for the items that the template leaves in question. */
static bool walk_kept(struct filter_eval *eval, struct filter_level *level,
		      uint32_t range, uint32_t step, struct sink *sink)
{
	const struct filter_kept *kept =
		filter_fold(eval->reader, eval->literals, level, step, range);
	uint32_t i;

	if (kept == NULL) {
		return true;
	}
	for (i = 0; i < kept->count; i++) {
		if (at_item(eval, level, &level->plan->items[kept->items[i]],
			    step, sink)) {
			return true;
		}
	}
	return false;
}

/* A step from a node.  True: the sink has what it wants, or an error. */
static bool walk(struct filter_eval *eval, const struct context *context,
		 uint32_t step, struct sink *sink)
{
	const struct xpath *xpath = eval->xpath;
	const struct xpath_step *s = &xpath->steps[step];
	struct filter_level *level = context->level;
	uint32_t range = context->ranges + xpath->tests[s->test].slot;
	bool stop = false;
	uint32_t i;

	if (context->ranges == XPATH_NONE) {
		return false;
	}
	if ((eval->ready >> eval->fields[s->test] & 1) != 0 &&
	    level->depth == 0 && s->next == XPATH_NONE &&
	    s->first_predicate == XPATH_NONE &&
	    ask_header(eval, eval->fields[s->test], sink, &stop)) {
		return stop;
	}
	if (eval->folds[step] && level->template_no != 0 &&
	    level->plan->ranges[range].count >= FILTER_FOLD_MIN) {
		return walk_kept(eval, level, range, step, sink);
	}
	for (i = s->first_predicate; i != XPATH_NONE;
	     i = xpath->predicates[i].next) {
		eval->positions[i] = 0;
	}
	return walk_range(eval, level, &level->plan->ranges[range], step, sink);
}

static bool eval_path(struct filter_eval *eval, uint32_t expr,
		      const struct context *context, struct sink *sink)
{
	(void)walk(eval, context, eval->xpath->exprs[expr].first, sink);
	return sink->found && !failed(eval);
}

/* ---------------------------------------------------------- functions */

/* XPath 1.0 4.2: of several nodes a function takes the first. */
static bool argument_time(struct filter_eval *eval, uint32_t argument,
			  const struct context *context, uint64_t *ret_time)
{
	const struct xpath_expr *expr = &eval->xpath->exprs[argument];
	struct sink sink = {.kind = SINK_TIME};

	if (expr->kind == XPATH_LITERAL) {
		*ret_time = eval->literals[expr->literal].time;
		return true;
	}
	if (!eval_path(eval, argument, context, &sink)) {
		return false;
	}
	*ret_time = sink.result;
	return true;
}

/* Milliseconds from the first to the second, or to now; facts 7.2. */
static bool eval_timediff(struct filter_eval *eval,
			  const struct xpath_expr *expr,
			  const struct context *context,
			  struct filter_operand *ret_operand)
{
	uint32_t second = eval->xpath->exprs[expr->first].next;
	uint64_t from, to = eval->reader->view->now;

	if (!argument_time(eval, expr->first, context, &from) ||
	    (second != XPATH_NONE &&
	     !argument_time(eval, second, context, &to))) {
		return false;
	}
	ret_operand->class = FILTER_REAL;
	ret_operand->real =
		to >= from ? (double)(to - from) : -(double)(from - to);
	ret_operand->real /= UNITS_PER_MS;
	return true;
}

static bool eval_band(struct filter_eval *eval, const struct xpath_expr *expr,
		      const struct context *context)
{
	const struct filter_number *mask =
		&eval->literals[expr->literal].number;
	struct sink sink = {.kind = SINK_BITS};

	if (!eval_path(eval, expr->first, context, &sink)) {
		return false;
	}
	return (sink.result &
		(mask->negative ? -mask->magnitude : mask->magnitude)) != 0;
}

/* -------------------------------------------------------- expressions */

static bool eval_compare(struct filter_eval *eval,
			 const struct xpath_expr *expr,
			 const struct context *context)
{
	const struct xpath_expr *left = &eval->xpath->exprs[expr->first];
	const struct filter_literal *literal = &eval->literals[expr->literal];
	struct filter_operand operand = {.class = FILTER_INTEGER};
	struct sink sink = {
		.kind = SINK_COMPARE,
		.op = expr->op,
		.literal = literal,
	};

	if (left->kind == XPATH_PATH) {
		return eval_path(eval, expr->first, context, &sink);
	}
	if (left->kind == XPATH_POSITION) {
		operand.magnitude = eval->positions[left->first];
	} else if (left->kind == XPATH_TIMEDIFF) {
		if (!eval_timediff(eval, left, context, &operand)) {
			return false;
		}
	} else {
		operand.class = FILTER_BOOL;
		operand.magnitude = eval_expr(eval, expr->first, context);
	}
	return filter_compare(&operand, (enum xpath_op)expr->op, literal,
			      &eval->reader->scratch);
}

/* or: until one is true; and: until one is false. */
static bool eval_list(struct filter_eval *eval, const struct xpath_expr *expr,
		      const struct context *context)
{
	bool is_or = expr->kind == XPATH_OR;
	uint32_t i;

	for (i = expr->first; i != XPATH_NONE; i = eval->xpath->exprs[i].next) {
		if (!filter_charge(eval->reader, 1)) {
			return false;
		}
		if (eval_expr(eval, i, context) == is_or) {
			return is_or;
		}
	}
	return !is_or;
}

/* Most of what clients ask: numbers of System, from the event's header. */
static bool header_knows(const struct filter_eval *eval, uint32_t expr,
			 const struct context *context)
{
	return (eval->ready >> eval->terms[expr].field & 1) != 0 &&
	       context->level->depth == 0;
}

/* Recursion is as deep as brackets and parentheses. */
static bool eval_expr(struct filter_eval *eval, uint32_t expr,
		      const struct context *context)
{
	const struct xpath_expr *e = &eval->xpath->exprs[expr];
	const struct filter_term *term = &eval->terms[expr];
	struct sink exists = {.kind = SINK_EXISTS};

	if (header_knows(eval, expr, context)) {
		return filter_holds_u64((enum xpath_op)term->op,
					eval->numbers[term->field],
					term->number);
	}
	switch ((enum xpath_kind)e->kind) {
	case XPATH_OR:
	case XPATH_AND:
		return eval_list(eval, e, context);
	case XPATH_COMPARE:
		return eval_compare(eval, e, context);
	case XPATH_PATH:
		return eval_path(eval, expr, context, &exists);
	case XPATH_BAND:
		return eval_band(eval, e, context);
	case XPATH_TIMEDIFF:
	case XPATH_POSITION:
	case XPATH_LITERAL:
		break;
	}
	return false;
}

bool filter_eval_match(struct filter_eval *eval, const struct event_view *view)
{
	struct context context = {.ranges = 0};
	bool matches = false;

	context.level = filter_reader_begin(eval->reader, view);
	if (context.level != NULL) {
		find_ready(eval, context.level);
		matches = eval_expr(eval, eval->xpath->root, &context);
	}
	matches = matches && !failed(eval);
	filter_reader_end(eval->reader);
	return matches;
}
