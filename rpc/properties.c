/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/properties.h"

#include "base/text.h"
#include "rpc/sddl.h"
#include "rpc/variant.h"

#include <string.h>
#include <unistd.h>

/* [MS-EVEN6] 2.2.9 VAR_FLAGS_MODIFIED: only opnum 21 looks at it. */
#define MODIFIED EVEN6_VAR_FLAGS_MODIFIED

/* What opnum 20 shows where nobody has said anything, facts 12.1. */
#define DEFAULT_MAX_SIZE (UINT64_C(20) << 20)
#define DEFAULT_BUFFER_SIZE 64
#define DEFAULT_LATENCY 1
#define DEFAULT_SID_TYPE 1
/* MaxBuffers lies so much above MinBuffers. */
#define BUFFERS_SPAN 22

/* rpc_properties_pack(): "EVCP", and the only version so far. */
#define PACK_MAGIC 0x50435645U
#define PACK_VERSION 1U

#define ALL_PROPERTIES (RPC_PROPERTY_BIT(RPC_PROPERTIES) - 1)

/* facts 12.1; of a boolean or a number: the largest value. */
static const struct property {
	const char *name;
	enum even6_EvtRpcVariantType type;
	bool settable;
	uint64_t max;
} table[RPC_PROPERTIES] = {
	[RPC_PROPERTY_ENABLED] = {"Enabled", EvtRpcVarTypeBoolean, true, 1},
	[RPC_PROPERTY_ISOLATION] = {"Isolation", EvtRpcVarTypeUInt32, true,
				    RPC_ISOLATION_CUSTOM},
	[RPC_PROPERTY_TYPE] = {"Type", EvtRpcVarTypeUInt32, true,
			       RPC_CHANNEL_DEBUG},
	[RPC_PROPERTY_OWNING_PUBLISHER] = {"OwningPublisher",
					   EvtRpcVarTypeString, true},
	[RPC_PROPERTY_CLASSIC] = {"ClassicEventlog", EvtRpcVarTypeBoolean, true,
				  1},
	[RPC_PROPERTY_ACCESS] = {"Access", EvtRpcVarTypeString, true},
	[RPC_PROPERTY_RETENTION] = {"Retention", EvtRpcVarTypeBoolean, true, 1},
	/* Nothing here writes a full channel to a file, as "true" promises. */
	[RPC_PROPERTY_AUTO_BACKUP] = {"AutoBackup", EvtRpcVarTypeBoolean, true,
				      0},
	[RPC_PROPERTY_MAX_SIZE] = {"MaxSize", EvtRpcVarTypeUInt64, true,
				   RPC_MAX_SIZE_MOST},
	[RPC_PROPERTY_LOG_FILE_PATH] = {"LogFilePath", EvtRpcVarTypeString,
					true},
	[RPC_PROPERTY_LEVEL] = {"Level", EvtRpcVarTypeUInt32, true, UINT32_MAX},
	[RPC_PROPERTY_KEYWORDS] = {"Keywords", EvtRpcVarTypeUInt64, true,
				   UINT64_MAX},
	[RPC_PROPERTY_CONTROL_GUID] = {"ControlGuid", EvtRpcVarTypeGuid, true},
	[RPC_PROPERTY_BUFFER_SIZE] = {"BufferSize", EvtRpcVarTypeUInt64, false},
	[RPC_PROPERTY_MIN_BUFFERS] = {"MinBuffers", EvtRpcVarTypeUInt32, false},
	[RPC_PROPERTY_MAX_BUFFERS] = {"MaxBuffers", EvtRpcVarTypeUInt32, false},
	[RPC_PROPERTY_LATENCY] = {"Latency", EvtRpcVarTypeUInt32, false},
	[RPC_PROPERTY_CLOCK_TYPE] = {"ClockType", EvtRpcVarTypeUInt32, false},
	[RPC_PROPERTY_SID_TYPE] = {"SidType", EvtRpcVarTypeUInt32, false},
	[RPC_PROPERTY_PUBLISHER_LIST] = {"PublisherList",
					 EvtRpcVarTypeStringArray, true},
	[RPC_PROPERTY_FILE_MAX] = {"FileMax", EvtRpcVarTypeUInt32, true,
				   UINT32_MAX},
};

const char *rpc_property_name(enum rpc_property property)
{
	return table[property].name;
}

/* ---------------------------------------------------------- the values */

struct rpc_properties *rpc_properties_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct rpc_properties);
}

void rpc_properties_unset(struct rpc_properties *properties,
			  enum rpc_property property)
{
	talloc_free((void *)properties->values[property].text);
	talloc_free((void *)properties->values[property].list);
	properties->values[property] = (struct rpc_value){};
	properties->set &= ~RPC_PROPERTY_BIT(property);
}

void rpc_properties_set_number(struct rpc_properties *properties,
			       enum rpc_property property, uint64_t number)
{
	properties->values[property].number = number;
	properties->set |= RPC_PROPERTY_BIT(property);
}

everr_t rpc_properties_set_text(struct rpc_properties *properties,
				enum rpc_property property, const char *text)
{
	char *copy = talloc_strdup(properties, text);

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	rpc_properties_unset(properties, property);
	properties->values[property].text = copy;
	properties->set |= RPC_PROPERTY_BIT(property);
	return EVERR_OK;
}

static everr_t properties_set_list(struct rpc_properties *properties,
				   enum rpc_property property,
				   const char *const *list, size_t num)
{
	const char **copy = talloc_array(properties, const char *, num);
	size_t i;

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		copy[i] = talloc_strdup(copy, list[i]);
		if (copy[i] == NULL) {
			TALLOC_FREE(copy);
			return EVERR_NOMEM;
		}
	}
	rpc_properties_unset(properties, property);
	properties->values[property].list = copy;
	properties->values[property].num_list = num;
	properties->set |= RPC_PROPERTY_BIT(property);
	return EVERR_OK;
}

static everr_t properties_copy(struct rpc_properties *properties,
			       enum rpc_property property,
			       const struct rpc_value *value)
{
	switch (table[property].type) {
	case EvtRpcVarTypeString:
		return rpc_properties_set_text(properties, property,
					       value->text);
	case EvtRpcVarTypeStringArray:
		return properties_set_list(properties, property, value->list,
					   value->num_list);
	default:
		rpc_properties_set_number(properties, property, value->number);
		return EVERR_OK;
	}
}

everr_t rpc_properties_overlay(struct rpc_properties *properties,
			       const struct rpc_properties *over)
{
	uint32_t i;
	everr_t err;

	for (i = 0; i < RPC_PROPERTIES; i++) {
		if (!(over->set & RPC_PROPERTY_BIT(i))) {
			continue;
		}
		err = properties_copy(properties, i, &over->values[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static bool list_same(const struct rpc_value *a, const struct rpc_value *b)
{
	size_t i;

	if (a->num_list != b->num_list) {
		return false;
	}
	for (i = 0; i < a->num_list; i++) {
		if (strcmp(a->list[i], b->list[i]) != 0) {
			return false;
		}
	}
	return true;
}

bool rpc_properties_same(const struct rpc_properties *a,
			 const struct rpc_properties *b,
			 enum rpc_property property)
{
	const struct rpc_value *one = &a->values[property];
	const struct rpc_value *other = &b->values[property];
	uint32_t bit = RPC_PROPERTY_BIT(property);

	if ((a->set & bit) != (b->set & bit)) {
		return false;
	}
	if (!(a->set & bit)) {
		return true;
	}
	switch (table[property].type) {
	case EvtRpcVarTypeString:
		return strcmp(one->text, other->text) == 0;
	case EvtRpcVarTypeStringArray:
		return list_same(one, other);
	default:
		return one->number == other->number;
	}
}

/* ------------------------------------------------------------ defaults */

/* Where Windows would keep it: '/' in names becomes "%4" (facts 12.1). */
static everr_t default_path(struct rpc_properties *properties,
			    const char *channel)
{
	struct buf path;
	const char *p = NULL;
	everr_t err;

	buf_init(&path, properties, RPC_PROPERTY_PATH_MAX);
	buf_puts(&path, "%SystemRoot%\\System32\\Winevt\\Logs\\");
	for (p = channel; *p != '\0'; p++) {
		if (*p == '/') {
			buf_puts(&path, "%4");
		} else {
			buf_put_u8(&path, (uint8_t)*p);
		}
	}
	buf_puts(&path, ".evtx");
	buf_put_u8(&path, 0);
	err = buf_error(&path);
	if (err == EVERR_OK) {
		err = rpc_properties_set_text(properties,
					      RPC_PROPERTY_LOG_FILE_PATH,
					      (const char *)path.data);
	}
	buf_free(&path);
	return err;
}

everr_t rpc_properties_defaults(struct rpc_properties *properties,
				const char *channel)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t buffers = cpus > 0 ? 2 * (uint64_t)cpus : 2;
	const struct {
		enum rpc_property property;
		uint64_t number;
	} numbers[] = {
		{RPC_PROPERTY_ENABLED, 1},
		{RPC_PROPERTY_ISOLATION, RPC_ISOLATION_APPLICATION},
		{RPC_PROPERTY_TYPE, RPC_CHANNEL_ADMIN},
		{RPC_PROPERTY_CLASSIC, 0},
		{RPC_PROPERTY_RETENTION, 0},
		{RPC_PROPERTY_AUTO_BACKUP, 0},
		{RPC_PROPERTY_MAX_SIZE, DEFAULT_MAX_SIZE},
		{RPC_PROPERTY_LEVEL, 0},
		{RPC_PROPERTY_KEYWORDS, UINT64_MAX},
		{RPC_PROPERTY_CONTROL_GUID, 0},
		{RPC_PROPERTY_BUFFER_SIZE, DEFAULT_BUFFER_SIZE},
		{RPC_PROPERTY_MIN_BUFFERS, buffers},
		{RPC_PROPERTY_MAX_BUFFERS, buffers + BUFFERS_SPAN},
		{RPC_PROPERTY_LATENCY, DEFAULT_LATENCY},
		{RPC_PROPERTY_CLOCK_TYPE, 0},
		{RPC_PROPERTY_SID_TYPE, DEFAULT_SID_TYPE},
		{RPC_PROPERTY_FILE_MAX, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		rpc_properties_set_number(properties, numbers[i].property,
					  numbers[i].number);
	}
	return default_path(properties, channel);
}

/* ---------------------------------------------------------- validation */

/* Text that may stand in a log: UTF-8 without control characters. */
static bool text_clean(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7F) {
			return false;
		}
	}
	return text_utf8_valid(text, len);
}

/* [MS-EVEN6] 2.2.1 by facts 2.1: at most 255 characters, no leading '\'. */
static bool publisher_valid(const char *name)
{
	size_t len = strlen(name);
	size_t units = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		units += ((uint8_t)name[i] & 0xC0) != 0x80;
		units += (uint8_t)name[i] >= 0xF0;
	}
	return len > 0 && name[0] != '\\' &&
	       units <= RPC_PROPERTY_PUBLISHER_MAX && text_clean(name, len);
}

static everr_t check_text(enum rpc_property property, const char *text)
{
	size_t len = strlen(text);

	switch (property) {
	case RPC_PROPERTY_ACCESS:
		return rpc_sddl_valid(text) ? EVERR_OK : EVERR_TEXT;
	case RPC_PROPERTY_OWNING_PUBLISHER:
		return publisher_valid(text) ? EVERR_OK : EVERR_INVALID;
	default:
		return len > 0 && len <= RPC_PROPERTY_PATH_MAX &&
				       text_clean(text, len)
			       ? EVERR_OK
			       : EVERR_INVALID;
	}
}

static everr_t check_list(const char *const *list, size_t num)
{
	size_t i;

	if (num > RPC_PROPERTY_PUBLISHERS_MAX) {
		return EVERR_INVALID;
	}
	for (i = 0; i < num; i++) {
		if (list[i] == NULL || !publisher_valid(list[i])) {
			return EVERR_INVALID;
		}
	}
	return EVERR_OK;
}

static everr_t check_number(enum rpc_property property, uint64_t number)
{
	if (number <= table[property].max) {
		return EVERR_OK;
	}
	return property == RPC_PROPERTY_AUTO_BACKUP ? EVERR_NOT_CHANGEABLE
						    : EVERR_INVALID;
}

/* Windows' own rounding: multiples of 64 KiB, at least 1 MiB (facts 12.1). */
static uint64_t round_size(uint64_t size)
{
	if (size < RPC_MAX_SIZE_LEAST) {
		return RPC_MAX_SIZE_LEAST;
	}
	return (size + RPC_MAX_SIZE_STEP - 1) / RPC_MAX_SIZE_STEP *
	       RPC_MAX_SIZE_STEP;
}

static everr_t take_number(struct rpc_properties *properties,
			   enum rpc_property property, uint64_t number)
{
	everr_t err;

	err = check_number(property, number);
	if (err != EVERR_OK) {
		return err;
	}
	if (property == RPC_PROPERTY_MAX_SIZE) {
		number = round_size(number);
	}
	rpc_properties_set_number(properties, property, number);
	return EVERR_OK;
}

static everr_t take_text(struct rpc_properties *properties,
			 enum rpc_property property, const char *text)
{
	everr_t err;

	err = check_text(property, text);
	if (err != EVERR_OK) {
		return err;
	}
	return rpc_properties_set_text(properties, property, text);
}

static everr_t take_list(struct rpc_properties *properties,
			 enum rpc_property property, const char *const *list,
			 size_t num)
{
	everr_t err;

	err = check_list(list, num);
	if (err != EVERR_OK) {
		return err;
	}
	return properties_set_list(properties, property, list, num);
}

/* ------------------------------------------------------------ the wire */

/* Of the property's own type. */
static everr_t read_value(struct rpc_property_changes *changes,
			  enum rpc_property property,
			  const struct even6_EvtRpcVariant *variant)
{
	const struct even6_StringArray *array = &variant->var.stringArray;

	switch (variant->type) {
	case EvtRpcVarTypeBoolean:
		return take_number(changes->to, property,
				   variant->var.booleanVal != 0);
	case EvtRpcVarTypeUInt32:
		return take_number(changes->to, property,
				   variant->var.uint32Val);
	case EvtRpcVarTypeUInt64:
		return take_number(changes->to, property,
				   variant->var.uint64Val);
	case EvtRpcVarTypeString:
		if (variant->var.stringVal == NULL) {
			return EVERR_INVALID;
		}
		return take_text(changes->to, property, variant->var.stringVal);
	case EvtRpcVarTypeStringArray:
		if (array->ptr == NULL && array->count > 0) {
			return EVERR_INVALID;
		}
		return take_list(changes->to, property, array->ptr,
				 array->count);
	default:
		/* ControlGuid: the server takes it and does nothing. */
		return EVERR_OK;
	}
}

/* An empty name or path stands for none, too; an access string cannot. */
static bool variant_is_none(enum rpc_property property,
			    const struct even6_EvtRpcVariant *variant)
{
	return variant->type == EvtRpcVarTypeNull ||
	       (variant->type == EvtRpcVarTypeString &&
		property != RPC_PROPERTY_ACCESS &&
		variant->var.stringVal != NULL &&
		variant->var.stringVal[0] == '\0');
}

static everr_t read_variant(struct rpc_property_changes *changes,
			    enum rpc_property property,
			    const struct even6_EvtRpcVariant *variant)
{
	if (!table[property].settable) {
		return EVERR_NOT_CHANGEABLE;
	}
	if (variant->type != EvtRpcVarTypeNull &&
	    variant->type != table[property].type) {
		return EVERR_INVALID;
	}
	if (variant_is_none(property, variant)) {
		changes->reset |= RPC_PROPERTY_BIT(property);
		return EVERR_OK;
	}
	return read_value(changes, property, variant);
}

static everr_t read_list(struct rpc_property_changes *changes,
			 const struct even6_EvtRpcVariantList *list,
			 uint32_t *ret_property)
{
	uint32_t count = list->props != NULL ? list->count : 0;
	uint32_t i;
	everr_t err;

	for (i = 0; i < count; i++) {
		if (list->props[i].flags != MODIFIED) {
			continue;
		}
		err = i < RPC_PROPERTIES
			      ? read_variant(changes, i, &list->props[i])
			      : EVERR_INVALID;
		if (err != EVERR_OK) {
			*ret_property = i;
			return err;
		}
	}
	return EVERR_OK;
}

everr_t rpc_properties_read(TALLOC_CTX *mem_ctx,
			    const struct even6_EvtRpcVariantList *list,
			    struct rpc_property_changes **ret_changes,
			    uint32_t *ret_property)
{
	struct rpc_property_changes *changes = NULL;
	everr_t err;

	changes = talloc_zero(mem_ctx, struct rpc_property_changes);
	if (changes == NULL) {
		return EVERR_NOMEM;
	}
	changes->to = rpc_properties_create(changes);
	err = changes->to != NULL ? read_list(changes, list, ret_property)
				  : EVERR_NOMEM;
	if (err != EVERR_OK) {
		TALLOC_FREE(changes);
		return err;
	}
	*ret_changes = changes;
	return EVERR_OK;
}

static everr_t write_strings(struct even6_EvtRpcVariantList *list,
			     uint32_t index, const struct rpc_value *value)
{
	const char **strings = NULL;

	strings = rpc_variant_strings(list, index, (uint32_t)value->num_list);
	if (strings == NULL) {
		return EVERR_NOMEM;
	}
	if (value->num_list > 0) {
		memcpy(strings, value->list,
		       value->num_list * sizeof(*strings));
	}
	return EVERR_OK;
}

static everr_t write_value(struct even6_EvtRpcVariantList *list,
			   enum rpc_property property,
			   const struct rpc_value *value)
{
	static const struct ev_guid zero;

	switch (table[property].type) {
	case EvtRpcVarTypeBoolean:
		rpc_variant_boolean(list, property, value->number != 0);
		return EVERR_OK;
	case EvtRpcVarTypeUInt32:
		rpc_variant_uint32(list, property, (uint32_t)value->number);
		return EVERR_OK;
	case EvtRpcVarTypeUInt64:
		rpc_variant_uint64(list, property, value->number);
		return EVERR_OK;
	case EvtRpcVarTypeString:
		rpc_variant_string(list, property, value->text);
		return EVERR_OK;
	case EvtRpcVarTypeStringArray:
		return write_strings(list, property, value);
	default:
		return rpc_variant_guid(list, property, &zero);
	}
}

everr_t rpc_properties_write(TALLOC_CTX *mem_ctx,
			     const struct rpc_properties *properties,
			     struct even6_EvtRpcVariantList *ret_list)
{
	struct even6_EvtRpcVariantList list = {};
	everr_t err;
	uint32_t i;

	err = rpc_variants_create(mem_ctx, RPC_PROPERTIES, &list);
	for (i = 0; i < RPC_PROPERTIES && err == EVERR_OK; i++) {
		if (properties->set & RPC_PROPERTY_BIT(i)) {
			err = write_value(&list, i, &properties->values[i]);
		}
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(list.props);
		return err;
	}
	*ret_list = list;
	return EVERR_OK;
}

/* ----------------------------------------------------------- the store */

static void pack_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_put_u32(out, (uint32_t)len);
	buf_put(out, text, len);
}

static void pack_value(struct buf *out, enum rpc_property property,
		       const struct rpc_value *value)
{
	size_t i;

	switch (table[property].type) {
	case EvtRpcVarTypeString:
		pack_text(out, value->text);
		break;
	case EvtRpcVarTypeStringArray:
		buf_put_u32(out, (uint32_t)value->num_list);
		for (i = 0; i < value->num_list; i++) {
			pack_text(out, value->list[i]);
		}
		break;
	default:
		buf_put_u64(out, value->number);
		break;
	}
}

everr_t rpc_properties_pack(struct buf *out,
			    const struct rpc_properties *properties)
{
	size_t start = out->len;
	uint32_t i;

	buf_put_u32(out, PACK_MAGIC);
	buf_put_u32(out, PACK_VERSION);
	buf_put_u32(out, properties->set);
	for (i = 0; i < RPC_PROPERTIES; i++) {
		if (properties->set & RPC_PROPERTY_BIT(i)) {
			pack_value(out, i, &properties->values[i]);
		}
	}
	if (out->len - start > RPC_PROPERTIES_PACKED_MAX) {
		return EVERR_LIMIT;
	}
	return buf_error(out);
}

/* What is left of packed bytes. */
struct unpack {
	const uint8_t *data;
	size_t len;
	TALLOC_CTX *mem_ctx; /* of texts on their way */
};

static bool unpack_bytes(struct unpack *in, size_t len, const uint8_t **ret)
{
	if (len > in->len) {
		return false;
	}
	*ret = in->data;
	in->data += len;
	in->len -= len;
	return true;
}

static bool unpack_u32(struct unpack *in, uint32_t *ret_number)
{
	const uint8_t *p = NULL;

	if (!unpack_bytes(in, 4, &p)) {
		return false;
	}
	*ret_number = le32_get(p);
	return true;
}

static everr_t unpack_text(struct unpack *in, const char **ret_text)
{
	const uint8_t *p = NULL;
	uint32_t len = 0;
	char *text = NULL;

	if (!unpack_u32(in, &len) || !unpack_bytes(in, len, &p) ||
	    memchr(p, 0, len) != NULL) {
		return EVERR_STORE_CORRUPT;
	}
	text = talloc_strndup(in->mem_ctx, (const char *)p, len);
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	*ret_text = text;
	return EVERR_OK;
}

static everr_t unpack_list(struct unpack *in, struct rpc_properties *properties,
			   enum rpc_property property)
{
	const char **list = NULL;
	uint32_t num = 0;
	everr_t err;
	uint32_t i;

	if (!unpack_u32(in, &num) || num > RPC_PROPERTY_PUBLISHERS_MAX) {
		return EVERR_STORE_CORRUPT;
	}
	list = talloc_zero_array(in->mem_ctx, const char *, num);
	if (list == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		err = unpack_text(in, &list[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return take_list(properties, property, list, num);
}

static everr_t unpack_value(struct unpack *in,
			    struct rpc_properties *properties,
			    enum rpc_property property)
{
	const uint8_t *p = NULL;
	const char *text = NULL;
	everr_t err;

	switch (table[property].type) {
	case EvtRpcVarTypeString:
		err = unpack_text(in, &text);
		if (err != EVERR_OK) {
			return err;
		}
		return take_text(properties, property, text);
	case EvtRpcVarTypeStringArray:
		return unpack_list(in, properties, property);
	default:
		if (!table[property].settable || !unpack_bytes(in, 8, &p)) {
			return EVERR_STORE_CORRUPT;
		}
		return take_number(properties, property, le64_get(p));
	}
}

static everr_t unpack_all(struct unpack *in, struct rpc_properties *properties)
{
	uint32_t magic = 0, version = 0, set = 0;
	everr_t err;
	uint32_t i;

	if (!unpack_u32(in, &magic) || !unpack_u32(in, &version) ||
	    magic != PACK_MAGIC) {
		return EVERR_STORE_CORRUPT;
	}
	if (version != PACK_VERSION) {
		return EVERR_STORE_VERSION;
	}
	if (!unpack_u32(in, &set) || (set & ~ALL_PROPERTIES) != 0) {
		return EVERR_STORE_CORRUPT;
	}
	for (i = 0; i < RPC_PROPERTIES; i++) {
		if (!(set & RPC_PROPERTY_BIT(i))) {
			continue;
		}
		err = unpack_value(in, properties, i);
		if (err != EVERR_OK) {
			return err == EVERR_NOMEM ? err : EVERR_STORE_CORRUPT;
		}
	}
	return in->len == 0 ? EVERR_OK : EVERR_STORE_CORRUPT;
}

everr_t rpc_properties_unpack(TALLOC_CTX *mem_ctx, const uint8_t *data,
			      size_t len,
			      struct rpc_properties **ret_properties)
{
	struct unpack in = {.data = data, .len = len};
	struct rpc_properties *properties = NULL;
	everr_t err;

	properties = rpc_properties_create(mem_ctx);
	if (properties == NULL) {
		return EVERR_NOMEM;
	}
	in.mem_ctx = talloc_new(properties);
	err = in.mem_ctx != NULL ? unpack_all(&in, properties) : EVERR_NOMEM;
	TALLOC_FREE(in.mem_ctx);
	if (err != EVERR_OK) {
		TALLOC_FREE(properties);
		return err;
	}
	*ret_properties = properties;
	return EVERR_OK;
}
