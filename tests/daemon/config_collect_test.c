/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/buf.h"
#include "base/text.h"
#include "daemon/config.h"
#include "daemon/config_hosts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory with evenlog.conf, a host list and collect.d. */
struct files {
	char *dir;
	char *config;
	char *hosts;
	char *collect;
};

static void remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry = NULL;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d != NULL) {
		closedir(d);
	}
	rmdir(dir);
}

static int files_destructor(struct files *f)
{
	remove_files(f->collect);
	remove_files(f->dir);
	return 0;
}

static struct files *files_new(TALLOC_CTX *mem_ctx)
{
	const char *tmp = getenv("TMPDIR");
	struct files *f = talloc_zero(mem_ctx, struct files);

	assert_non_null(f);
	f->dir = talloc_asprintf(f, "%s/evenlog-config-XXXXXX",
				 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->config = talloc_asprintf(f, "%s/evenlog.conf", f->dir);
	f->hosts = talloc_asprintf(f, "%s/hosts", f->dir);
	f->collect = talloc_asprintf(f, "%s/collect.d", f->dir);
	assert_int_equal(mkdir(f->collect, 0700), 0);
	talloc_set_destructor(f, files_destructor);
	return f;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static void write_part(struct files *f, const char *name, const char *text)
{
	char *path = talloc_asprintf(f, "%s/%s", f->collect, name);

	write_file(path, text);
	talloc_free(path);
}

/* %H in text stands for the host list. */
static everr_t load(struct files *f, const char *text,
		    struct daemon_config **config,
		    struct daemon_config_errors **errors)
{
	const char *mark = strstr(text, "%H");
	size_t len = mark != NULL ? (size_t)(mark - text) : strlen(text);
	char *whole =
		talloc_asprintf(f, "%.*s%s%s\n[collector]\ndirectory = %s\n",
				(int)len, text, mark != NULL ? f->hosts : "",
				mark != NULL ? mark + 2 : "", f->collect);

	write_file(f->config, whole);
	return daemon_config_load(f, f->config, config, errors);
}

static struct daemon_config *good(struct files *f, const char *text)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(f, text, &config, &errors);

	if (err != EVERR_OK) {
		print_error("%s\n", errors->messages[0]);
	}
	assert_int_equal(err, EVERR_OK);
	return config;
}

/* The only complaint about text has want in it. */
static void bad(struct files *f, const char *text, const char *want)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(f, text, &config, &errors);
	size_t i;

	assert_int_equal(err, EVERR_CONFIG);
	assert_null(config);
	if (errors->num_messages != 1 ||
	    strstr(errors->messages[0], want) == NULL) {
		for (i = 0; i < errors->num_messages; i++) {
			print_error("got: %s\n", errors->messages[i]);
		}
		print_error("want: %s\n", want);
		fail();
	}
	talloc_free(errors);
}

/* These complaints, in this order, and no other. */
static void bad_all(struct files *f, const char *text, const char *const *want,
		    size_t num)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(f, text, &config, &errors);
	size_t i;

	assert_int_equal(err, EVERR_CONFIG);
	for (i = 0; i < errors->num_messages; i++) {
		if (i >= num || strstr(errors->messages[i], want[i]) == NULL) {
			print_error("got: %s\n", errors->messages[i]);
			print_error("want: %s\n",
				    i < num ? want[i] : "no more");
			fail();
		}
	}
	assert_int_equal(errors->num_messages, num);
	talloc_free(errors);
}

#define NTLM "user = u\npassword_file = /p\n"
#define ONE "[collect a]\nhost = dc1\n" NTLM

/* ------------------------------------------------------------- defaults */

static void test_without_a_section_nothing_is_collected(void **state)
{
	struct daemon_config *config = good(files_new(*state), "");

	assert_int_equal(config->collect.num_hosts, 0);
	assert_int_equal(config->collect.connects, 32);
	assert_string_equal(config->collect.ticket_directory,
			    "/run/evenlog/tickets");
	assert_non_null(
		strstr(config->collect.ticket_helper, "/evenlog-ticket"));
}

static void test_a_host_has_the_documented_defaults(void **state)
{
	struct daemon_config *config = good(files_new(*state), ONE);
	const struct collect_config *host = config->collect.hosts;

	assert_int_equal(config->collect.num_hosts, 1);
	assert_string_equal(host->section, "a");
	assert_string_equal(host->host, "dc1");
	assert_int_equal(host->port, 0);
	assert_int_equal(host->mapper_port, 135);
	assert_int_equal(host->auth, COLLECT_AUTH_NTLM);
	assert_string_equal(host->user, "u");
	assert_null(host->domain);
	assert_string_equal(host->password_file, "/p");
	assert_int_equal(host->num_channels, 3);
	assert_string_equal(host->channels[0].name, "Security");
	assert_string_equal(host->channels[1].name, "System");
	assert_string_equal(host->channels[2].name, "Application");
	assert_null(host->channels[0].query);
	assert_int_equal(host->delivery, COLLECT_DELIVERY_PUSH);
	assert_int_equal(host->batch, 512);
	assert_true(host->read_existing);
	assert_string_equal(host->target, "ForwardedEvents");
	assert_int_equal(host->backoff_max, 300);
	assert_int_equal(host->liveness, 300);
	assert_int_equal(host->silent_after, 86400);
}

static void test_values_reach_their_places(void **state)
{
	struct daemon_config *config =
		good(files_new(*state),
		     "[collector]\nticket_helper = /h\nticket_directory = /t\n"
		     "connects = 7\n"
		     "[channel Mine]\n"
		     "[collect k.1]\nhost = dc1.example\nport = 1\n"
		     "mapper_port = 2\nkeytab = /k\nprincipal = c@EXAMPLE\n"
		     "channels = System\ndelivery = pull\nbatch = 3\n"
		     "read_existing = no\ntarget = mine\nbackoff_max = 4\n"
		     "liveness = 5\nsilent_after = 0\n"
		     "[collect c]\nhost = dc2.example\nccache = FILE:/c\n");
	const struct collect_config *host = config->collect.hosts;

	assert_string_equal(config->collect.ticket_helper, "/h");
	assert_string_equal(config->collect.ticket_directory, "/t");
	assert_int_equal(config->collect.connects, 7);
	assert_int_equal(host->port, 1);
	assert_int_equal(host->mapper_port, 2);
	assert_int_equal(host->auth, COLLECT_AUTH_KERBEROS);
	assert_string_equal(host->keytab, "/k");
	assert_string_equal(host->principal, "c@EXAMPLE");
	assert_int_equal(host->num_channels, 1);
	assert_int_equal(host->delivery, COLLECT_DELIVERY_PULL);
	assert_int_equal(host->batch, 3);
	assert_false(host->read_existing);
	assert_string_equal(host->target, "mine");
	assert_int_equal(host->backoff_max, 4);
	assert_int_equal(host->liveness, 5);
	assert_int_equal(host->silent_after, 0);
	assert_int_equal(host[1].auth, COLLECT_AUTH_KERBEROS);
	assert_string_equal(host[1].ccache, "FILE:/c");
	assert_null(host[1].keytab);
}

/* ---------------------------------------------------------------- hosts */

static void test_hosts_come_from_lists_and_from_a_file(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config *config = NULL;
	const struct collect_config *hosts = NULL;

	write_file(f->hosts, "# our controllers\n"
			     "dc3.example\t# the old one\r\n"
			     "\n  dc4.example.:5004 \n[2001:db8::1]:5005\n"
			     "2001:db8::2");
	config = good(f, "[collect a]\nport = 9\nhost = dc1:5001\n"
			 "hosts = dc2, 192.0.2.1:5002,\n  192.0.2.2\n"
			 "hosts_file = %H\n" NTLM);
	hosts = config->collect.hosts;
	assert_int_equal(config->collect.num_hosts, 8);
	assert_string_equal(hosts[0].host, "dc1");
	assert_int_equal(hosts[0].port, 5001);
	assert_string_equal(hosts[1].host, "dc2");
	assert_int_equal(hosts[1].port, 9);
	assert_string_equal(hosts[2].host, "192.0.2.1");
	assert_int_equal(hosts[2].port, 5002);
	assert_string_equal(hosts[3].host, "192.0.2.2");
	assert_string_equal(hosts[4].host, "dc3.example");
	assert_int_equal(hosts[4].port, 9);
	assert_string_equal(hosts[5].host, "dc4.example");
	assert_int_equal(hosts[5].port, 5004);
	assert_string_equal(hosts[6].host, "2001:db8::1");
	assert_int_equal(hosts[6].port, 5005);
	assert_string_equal(hosts[7].host, "2001:db8::2");
	assert_int_equal(hosts[7].port, 9);
}

static void test_what_is_no_host_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",	      " ",
		"dc1:",	      "dc1:0",
		"dc1:x",      "dc1:65536",
		"dc1:123456", "dc 1",
		"dc1/x",      "[::1",
		"[::1]5",     "[::1]:",
		"[dc1:5",     "http://dc1",
		".",	      "-dc1",
		"::1:zz",     "user@host",
		"dc1\\share", "[]:5",
		"d%c",	      "dc1:5000:6000",
		":5000",
	};
	const char *host = NULL;
	uint16_t port = 0;
	char longest[300];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (config_host_parse(*state, wrong[i], strlen(wrong[i]), &host,
				      &port) != EVERR_INVALID) {
			print_error("taken: '%s'\n", wrong[i]);
			fail();
		}
	}
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(config_host_parse(*state, longest, sizeof(longest),
					   &host, &port),
			 EVERR_INVALID);
	assert_int_equal(config_host_parse(*state, longest, 253, &host, &port),
			 EVERR_OK);
}

static void test_mistakes_of_hosts_say_where(void **state)
{
	struct files *f = files_new(*state);

	bad(f, "[collect a]\n" NTLM, ":2: [collect a]: which hosts is missing");
	bad(f, "[collect a]\nhost = dc 1\n" NTLM,
	    ":2: host 'dc 1' must be a name or an address");
	bad(f, "[collect a]\n" NTLM "hosts = dc1, dc2:0\n", ":4: host 'dc2:0'");
	bad(f, "[collect a]\nhosts_file = /nonexistent\n" NTLM,
	    ":2: hosts_file /nonexistent: No such file");
	bad(f, "[collect a]\nhosts_file = /\n" NTLM,
	    ":2: hosts_file / is not a regular file");
	write_file(f->hosts, "# nobody\n");
	bad(f, "[collect a]\nhosts_file = %H\n" NTLM, "names no host");
	write_file(f->hosts, "dc1\n\ndc2 dc3\n");
	bad(f, "[collect a]\nhosts_file = %H\n" NTLM, "/hosts:3: a host must");
}

static void test_each_wrong_line_of_a_host_list_is_told(void **state)
{
	static const char *const want[] = {
		"/hosts:2: a host must",
		"/hosts:4: a host must",
		"/hosts:5: host DC1 is given twice: also at ",
	};
	struct files *f = files_new(*state);

	write_file(f->hosts, "dc1\ndc 2\ndc3\n!\nDC1\n");
	bad_all(f, "[collect a]\nhosts_file = %H\n" NTLM, want,
		sizeof(want) / sizeof(want[0]));
}

static void test_a_host_list_may_begin_with_a_byte_order_mark(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config *config = NULL;

	write_file(f->hosts, "\xEF\xBB\xBF"
			     "dc1\r\ndc2\r\n");
	config = good(f, "[collect a]\nhosts_file = %H\n" NTLM);
	assert_int_equal(config->collect.num_hosts, 2);
	assert_string_equal(config->collect.hosts[0].host, "dc1");
}

/* A key with a mistake does not hide what does not hang on it. */
static void test_a_mistake_hides_no_other(void **state)
{
	static const char *const want[] = {
		":4: password_file = p: must be an absolute path",
		":5: channel System is given twice",
		":2: host 'dc 1' must be",
	};
	struct files *f = files_new(*state);

	bad_all(f,
		"[collect a]\nhost = dc 1\nuser = u\npassword_file = p\n"
		"channels = System, System\n",
		want, sizeof(want) / sizeof(want[0]));
}

static void test_a_host_given_twice_names_both_places(void **state)
{
	struct files *f = files_new(*state);

	write_file(f->hosts, "dc2\nDC1.Example\n");
	bad(f, "[collect a]\nhost = dc1.example.\nhosts_file = %H\n" NTLM,
	    "/hosts:2: host DC1.Example is given twice: also at ");
	bad(f, ONE "[collect b]\nhost = DC1:99\n" NTLM,
	    ":6: host DC1 is given twice: also at ");
}

static void test_the_number_of_hosts_has_a_limit(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config *config = NULL;
	FILE *file = fopen(f->hosts, "we");
	int i;

	assert_non_null(file);
	for (i = 0; i < COLLECT_HOSTS_MAX; i++) {
		fprintf(file, "dc%d.example\n", i);
	}
	assert_int_equal(fclose(file), 0);
	config = good(f, "[collect a]\nhosts_file = %H\n" NTLM);
	assert_int_equal(config->collect.num_hosts, COLLECT_HOSTS_MAX);
	assert_string_equal(config->collect.hosts[COLLECT_HOSTS_MAX - 1].host,
			    "dc9999.example");
	bad(f,
	    "[collect b]\nhost = one.more\n" NTLM
	    "[collect a]\nhosts_file = %H\n" NTLM,
	    "more than 10000 hosts");
	file = fopen(f->hosts, "ae");
	assert_non_null(file);
	fprintf(file, "one.more\n");
	assert_int_equal(fclose(file), 0);
	bad(f, "[collect a]\nhosts_file = %H\n" NTLM, "10000 hosts");
}

/* ---------------------------------------------------------- credentials */

static void test_the_way_to_log_on_is_found_by_what_is_given(void **state)
{
	struct files *f = files_new(*state);

	bad(f, "[collect a]\nhost = dc1\n",
	    ":2: [collect a]: how to log on is missing: write 'keytab'");
	bad(f, "[collect a]\nhost = dc1\nkeytab = /k\n" NTLM,
	    ":4: [collect a]: there are keys for Kerberos and for NTLM");
	bad(f, "[collect a]\nhost = dc1\nauthentication = kerberos\n" NTLM,
	    ":3: [collect a]: user, domain and password_file are not for");
	bad(f,
	    "[collect a]\nhost = dc1\nauthentication = ntlm\nkeytab = "
	    "/k\n" NTLM,
	    ":3: [collect a]: keytab, principal and ccache are not for NTLM");
	bad(f, "[collect a]\nhost = dc1\nauthentication = ntlm\n",
	    "NTLM takes 'user' and 'password_file'");
	bad(f, "[collect a]\nhost = dc1\nuser = u\n",
	    "NTLM takes 'user' and 'password_file'");
	bad(f, "[collect a]\nhost = dc1\nauthentication = kerberos\n",
	    "Kerberos takes either 'keytab' or 'ccache'");
	bad(f, "[collect a]\nhost = dc1\nkeytab = /k\nccache = /c\n",
	    "Kerberos takes either 'keytab' or 'ccache'");
	bad(f, "[collect a]\nhost = dc1\nccache = /c\nprincipal = p\n",
	    ":4: [collect a]: 'principal' says whose key of a keytab");
	bad(f, "[collect a]\nhost = dc1\nkeytab = k\n",
	    ":3: keytab = k: must be an absolute path");
	bad(f, "[collect a]\nhost = dc1\nauthentication = basic\n" NTLM,
	    "must be one of kerberos, ntlm");
}

static void test_the_domain_may_stand_with_the_user(void **state)
{
	struct files *f = files_new(*state);
	const struct collect_config *host = NULL;

	host = good(f, "[collect a]\nhost = dc1\nuser = EX\\log reader\n"
		       "password_file = /p\n")
		       ->collect.hosts;
	assert_string_equal(host->user, "log reader");
	assert_string_equal(host->domain, "EX");

	/* The part behind the @ need not be the domain's name. */
	host = good(f, "[collect a]\nhost = dc1\nuser = u@corp.example\n"
		       "password_file = /p\n")
		       ->collect.hosts;
	assert_string_equal(host->user, "u@corp.example");
	assert_string_equal(host->domain, "");

	host = good(f, ONE "domain = EX\n")->collect.hosts;
	assert_string_equal(host->user, "u");
	assert_string_equal(host->domain, "EX");

	bad(f,
	    "[collect a]\nhost = dc1\nuser = EX\\u\ndomain = EX\n"
	    "password_file = /p\n",
	    ":4: [collect a]: 'user' names the domain already");
	bad(f, "[collect a]\nhost = dc1\nuser = EX\\\npassword_file = /p\n",
	    "'user' is NAME, DOMAIN\\NAME or NAME@DOMAIN");
	bad(f, "[collect a]\nhost = dc1\nuser = \\u\npassword_file = /p\n",
	    "'user' is NAME, DOMAIN\\NAME or NAME@DOMAIN");
}

/* -------------------------------------------------------------- queries */

#define HOSTILE                                                     \
	"*[System[Provider[@Name=\"x;y # z\" or @Name='a, b'] and " \
	"(EventID=1 or EventID=2)]]"

static void test_each_channel_may_have_a_query_of_its_own(void **state)
{
	struct daemon_config *config =
		good(files_new(*state),
		     ONE "channels = Security, System,"
			 " Microsoft-Windows-TaskScheduler/Operational,"
			 " Two words\n"
			 "query = *[System[Level=2]]\n"
			 "query security = " HOSTILE "\n"
			 "query.System = *\n"
			 "query Two words = <QueryList><Query>\n"
			 "  <Select Path=\"two words\">*[System[EventID=7]]"
			 "</Select>\n  </Query></QueryList>\n");
	const struct collect_channel_config *channels =
		config->collect.hosts[0].channels;

	assert_int_equal(config->collect.hosts[0].num_channels, 4);
	assert_string_equal(channels[0].name, "Security");
	assert_string_equal(channels[0].query, HOSTILE);
	assert_null(channels[1].query);
	assert_string_equal(channels[2].query, "*[System[Level=2]]");
	assert_string_equal(channels[3].query,
			    "<QueryList><Query>  <Select Path=\"two words\">"
			    "*[System[EventID=7]]</Select>  </Query>"
			    "</QueryList>");
}

static void test_mistakes_of_queries_are_found_when_they_are_read(void **state)
{
	struct files *f = files_new(*state);

	bad(f, ONE "query Security = *[System[\n",
	    ":5: the query of Security: ");
	bad(f, ONE "query = *[System[EventID=]]\n",
	    ":5: the query of Security: ");
	bad(f, ONE "query Foo = *\n",
	    ":5: a query of Foo, which is not among this section's channels");
	bad(f, ONE "query System = *\nquery.system = *\n",
	    ":6: the query of system is given twice in this section");
	bad(f,
	    ONE "query System = <QueryList><Query><Select Path=\"Security\">*"
		"</Select></Query></QueryList>\n",
	    ":5: the query of System selects from Security; a query is of one");
	bad(f,
	    ONE "query = <QueryList><Query><Select Path=\"Security\">*"
		"</Select></Query></QueryList>\n",
	    ":5: the query of System selects from Security; a query is of one");
	bad(f, ONE "querySecurity = *\n", "unknown key 'querySecurity'");
	bad(f, ONE "query Security =\n",
	    ":5: the query of Security is empty; * is everything");
}

static void test_mistakes_of_channels_are_refused(void **state)
{
	struct files *f = files_new(*state);

	bad(f, ONE "channels = System, system\n",
	    ":5: channel system is given twice");
	bad(f, ONE "channels = ,\n", ":5: a host has 1 to 256 channels");
	bad(f, ONE "channels = a?b\n", ":5: 'a?b' is not a channel's name");
	bad(f, ONE "target = Nowhere\n",
	    ": target = Nowhere: there is no such channel; add a section "
	    "[channel Nowhere]");
	bad(f, ONE "target = Evenlog/Operational\n",
	    "that channel is for Evenlog's own events");
}

static void test_numbers_have_their_ranges(void **state)
{
	struct files *f = files_new(*state);

	bad(f, ONE "batch = 0\n",
	    ":5: batch = 0: must be a number of records from 1 to 1024");
	bad(f, ONE "batch = 1025\n", "from 1 to 1024");
	bad(f, ONE "port = 65536\n", "from 0 to 65535");
	bad(f, ONE "mapper_port = 0\n", "from 1 to 65535");
	bad(f, ONE "backoff_max = 0\n", "from 1 to 86400 seconds");
	bad(f, ONE "liveness = 2d\n", "from 1 to 86400 seconds");
	bad(f, ONE "silent_after = 367d\n", "up to 31622400 seconds");
	bad(f, ONE "delivery = post\n", "must be one of push, pull");
	bad(f, ONE "read_existing = maybe\n", "must be yes or no");
	bad(f, "[collector]\nconnects = 0\n", "from 1 to 1000");
	bad(f, "[collector]\nticket_helper = x\n", "must be an absolute path");
	bad(f, "[collect a b]\nhost = dc1\n" NTLM,
	    ":2: [collect a b]: a collect section's name has 1 to 64");
}

/* ------------------------------------------------------------- defaults */

static void test_what_all_have_in_common_is_said_once(void **state)
{
	struct daemon_config *config =
		good(files_new(*state),
		     /* Wherever it stands. */
		     "[collect a]\nhost = dc1\nquery System = *[System]\n"
		     "[collect b]\nhost = dc2\nkeytab = /k\nbatch = 9\n"
		     "authentication = kerberos\nquery = *\n"
		     "[collect]\n" NTLM "channels = System, Setup\nbatch = 8\n"
		     "query setup = *[System[EventID=1]]\n"
		     "query System = *[System[EventID=2]]\n");
	const struct collect_config *a = &config->collect.hosts[0];
	const struct collect_config *b = &config->collect.hosts[1];

	assert_int_equal(config->collect.num_hosts, 2);
	assert_int_equal(a->auth, COLLECT_AUTH_NTLM);
	assert_string_equal(a->user, "u");
	assert_int_equal(a->batch, 8);
	assert_int_equal(a->num_channels, 2);
	assert_string_equal(a->channels[0].query, "*[System]");
	assert_string_equal(a->channels[1].query, "*[System[EventID=1]]");
	assert_int_equal(b->auth, COLLECT_AUTH_KERBEROS);
	assert_null(b->user);
	assert_null(b->password_file);
	assert_int_equal(b->batch, 9);
	assert_null(b->channels[0].query);
	assert_null(b->channels[1].query);
}

static void test_hosts_belong_to_a_section_with_a_name(void **state)
{
	bad(files_new(*state), "[collect]\nhost = dc1\n" NTLM,
	    "hosts belong to one with a NAME");
}

/* -------------------------------------------------------- the directory */

static void test_the_directory_is_read_in_order_of_names(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config *config = NULL;

	write_part(f, "20.conf", "[collect c]\nhost = dc3\n");
	write_part(f, "10.conf", "[collect b]\nhost = dc2\nbatch = 2\n");
	write_part(f, "30.conf~", "[nonsense");
	write_part(f, ".40.conf", "[nonsense");
	config = good(f, "[collect]\n" NTLM "[collect a]\nhost = dc1\n");
	assert_int_equal(config->collect.num_hosts, 3);
	assert_string_equal(config->collect.hosts[0].host, "dc1");
	assert_string_equal(config->collect.hosts[1].host, "dc2");
	assert_int_equal(config->collect.hosts[1].batch, 2);
	assert_string_equal(config->collect.hosts[2].host, "dc3");
	assert_string_equal(config->collect.hosts[2].user, "u");
}

static void test_mistakes_in_the_directory_name_their_file(void **state)
{
	struct files *f = files_new(*state);

	write_part(f, "a.conf", "[collect b]\nhost = dc2\nbtch = 2\n" NTLM);
	bad(f, "", "/collect.d/a.conf:3: unknown key 'btch'");
	write_part(f, "a.conf", "[rpc]\nport = 1\n");
	bad(f, "", "/collect.d/a.conf:2: section [rpc] belongs into ");
	write_part(f, "a.conf", "[collect]\nbatch = 1\n");
	bad(f, "", "/collect.d/a.conf:2: section [collect] belongs into ");
	write_part(f, "a.conf", "[collect b]\nnonsense\n");
	bad(f, "", "/collect.d/a.conf:2: ");
	write_part(f, "a.conf", "[collect A]\nhost = dc2\n" NTLM);
	bad(f, ONE,
	    "/collect.d/a.conf:2: section collect A is given twice: "
	    "also at ");
	write_part(f, "a.conf", "[collect b]\nhost = dc1\n" NTLM);
	bad(f, ONE, "/collect.d/a.conf:2: host dc1 is given twice: also at ");
}

static void test_too_many_sections_are_refused_before_they_cost(void **state)
{
	struct files *f = files_new(*state);
	char *path = talloc_asprintf(f, "%s/a.conf", f->collect);
	FILE *file = fopen(path, "we");
	int i;

	assert_non_null(file);
	for (i = 0; i < 20000; i++) {
		fprintf(file, "[collect a%d]\nhost=h%d\n", i, i);
	}
	assert_int_equal(fclose(file), 0);
	bad(f, "", "a.conf:2001: has more than 1000 sections");
}

/* [collector], which load() adds, is one of them. */
static void write_channels(struct buf *text, int num)
{
	int i;

	for (i = 0; i < num - 1; i++) {
		buf_printf(text, "[channel a%d]\n", i);
	}
	buf_put_u8(text, 0);
	assert_int_equal(buf_error(text), EVERR_OK);
}

static void test_sections_of_any_kind_have_a_limit(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config *config = NULL;
	struct buf text;

	buf_init(&text, f, DAEMON_CONFIG_MAX);
	write_channels(&text, 1000);
	config = good(f, (const char *)text.data);
	assert_int_equal(config->num_channels, 5 + 999);
	buf_free(&text);

	buf_init(&text, f, DAEMON_CONFIG_MAX);
	write_channels(&text, 1001);
	bad(f, (const char *)text.data, "has more than 1000 sections");
	buf_free(&text);
}

static void test_keys_of_a_section_have_a_limit(void **state)
{
	struct files *f = files_new(*state);
	struct buf text;
	int i;

	buf_init(&text, f, DAEMON_CONFIG_MAX);
	buf_puts(&text, ONE);
	for (i = 0; i < 20000; i++) {
		buf_printf(&text, "query c%d = *\n", i);
	}
	buf_put_u8(&text, 0);
	bad(f, (const char *)text.data,
	    ":1002: this section has more than 1000 keys");
	buf_free(&text);
}

/* The parser would say that it "cannot be read", of the file as a whole. */
static void test_what_is_not_text_is_told_with_its_line(void **state)
{
	struct files *f = files_new(*state);
	char *path = talloc_asprintf(f, "%s/a.conf", f->collect);
	FILE *file = NULL;

	bad(f, "[collect a]\nuser = M\xFCller\n",
	    ":2: is not UTF-8 text: write the file anew");
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite("[collect a]\nuser\0 = u\n", 1, 22, file), 22);
	assert_int_equal(fclose(file), 0);
	bad(f, "", "/a.conf:2: is not UTF-8 text");
}

/* Nobody may ever write to it, and the service would wait for that. */
static void test_a_pipe_is_not_waited_for(void **state)
{
	struct files *f = files_new(*state);
	char *path = talloc_asprintf(f, "%s/a.conf", f->collect);

	assert_int_equal(mkfifo(path, 0600), 0);
	bad(f, "", "/a.conf: is not a regular file");
}

/* As systemd's own files are masked. */
static void test_a_link_to_the_null_device_is_an_empty_file(void **state)
{
	struct files *f = files_new(*state);
	char *path = talloc_asprintf(f, "%s/a.conf", f->collect);
	struct daemon_config *config = NULL;

	assert_int_equal(symlink("/dev/null", path), 0);
	config = good(f, ONE);
	assert_int_equal(config->collect.num_hosts, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	bad(f, ONE, "/a.conf: is not a regular file");
}

/* It becomes a line of the log and a field of an event. */
static void test_a_message_about_a_long_value_is_short(void **state)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	struct files *f = files_new(*state);
	struct buf text;
	size_t len;
	int i;

	buf_init(&text, f, DAEMON_CONFIG_MAX);
	buf_puts(&text, "[collect a]\n" NTLM "host = ");
	for (i = 0; i < 100000; i++) {
		buf_puts(&text, "\xC3\xA4");
	}
	buf_put_u8(&text, 0);
	assert_int_equal(load(f, (const char *)text.data, &config, &errors),
			 EVERR_CONFIG);
	assert_int_equal(errors->num_messages, 1);
	len = strlen(errors->messages[0]);
	assert_in_range(len, 500, 2000);
	assert_true(text_utf8_valid(errors->messages[0], len));
	buf_free(&text);
}

/* Whoever only talks to the service may not read these files. */
static void test_a_command_needs_nothing_of_what_is_collected(void **state)
{
	struct files *f = files_new(*state);
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;

	write_part(f, "a.conf", "[nonsense");
	write_file(f->config, "[collect]\nbtch = 1\n[rpc]\nport = 7\n"
			      "[collect a]\nhosts_file = /nonexistent\n");
	assert_int_equal(
		daemon_config_load_basic(f, f->config, &config, &errors),
		EVERR_OK);
	assert_int_equal(config->rpc.port, 7);
	assert_int_equal(config->collect.num_hosts, 0);
	talloc_free(config);
	write_file(f->config, "[rpc]\nprt = 7\n");
	assert_int_equal(
		daemon_config_load_basic(f, f->config, &config, &errors),
		EVERR_CONFIG);
}

/* ----------------------------------------------------- copy and compare */

static void test_a_copy_is_equal_and_stands_on_its_own(void **state)
{
	struct daemon_config *config =
		good(files_new(*state), ONE "domain = EX\nquery System = *[a]\n"
					    "channels = System, Setup\n");
	struct collect_config *copy =
		collect_config_copy(*state, config->collect.hosts);
	struct collect_config *other =
		collect_config_copy(*state, config->collect.hosts);

	assert_non_null(copy);
	talloc_free(config);
	assert_string_equal(copy->host, "dc1");
	assert_string_equal(copy->channels[0].query, "*[a]");
	assert_null(copy->channels[1].query);
	assert_true(collect_config_equal(copy, other));
	other->batch++;
	assert_false(collect_config_equal(copy, other));
	other->batch--;
	other->domain = "ey";
	assert_false(collect_config_equal(copy, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_without_a_section_nothing_is_collected),
		leak_test(test_a_host_has_the_documented_defaults),
		leak_test(test_values_reach_their_places),
		leak_test(test_hosts_come_from_lists_and_from_a_file),
		leak_test(test_what_is_no_host_is_refused),
		leak_test(test_mistakes_of_hosts_say_where),
		leak_test(test_each_wrong_line_of_a_host_list_is_told),
		leak_test(test_a_host_list_may_begin_with_a_byte_order_mark),
		leak_test(test_a_mistake_hides_no_other),
		leak_test(test_a_host_given_twice_names_both_places),
		leak_test(test_the_number_of_hosts_has_a_limit),
		leak_test(test_the_way_to_log_on_is_found_by_what_is_given),
		leak_test(test_the_domain_may_stand_with_the_user),
		leak_test(test_each_channel_may_have_a_query_of_its_own),
		leak_test(
			test_mistakes_of_queries_are_found_when_they_are_read),
		leak_test(test_mistakes_of_channels_are_refused),
		leak_test(test_numbers_have_their_ranges),
		leak_test(test_what_all_have_in_common_is_said_once),
		leak_test(test_hosts_belong_to_a_section_with_a_name),
		leak_test(test_the_directory_is_read_in_order_of_names),
		leak_test(test_mistakes_in_the_directory_name_their_file),
		leak_test(test_too_many_sections_are_refused_before_they_cost),
		leak_test(test_sections_of_any_kind_have_a_limit),
		leak_test(test_keys_of_a_section_have_a_limit),
		leak_test(test_what_is_not_text_is_told_with_its_line),
		leak_test(test_a_pipe_is_not_waited_for),
		leak_test(test_a_link_to_the_null_device_is_an_empty_file),
		leak_test(test_a_message_about_a_long_value_is_short),
		leak_test(test_a_command_needs_nothing_of_what_is_collected),
		leak_test(test_a_copy_is_equal_and_stands_on_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
