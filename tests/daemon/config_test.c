/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static everr_t load(TALLOC_CTX *mem_ctx, const char *text,
		    struct daemon_config **config,
		    struct daemon_config_errors **errors)
{
	char path[] = "/tmp/evenlog-config-XXXXXX";
	int fd = mkstemp(path);
	everr_t err;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = daemon_config_load(mem_ctx, path, config, errors);
	unlink(path);
	return err;
}

static struct daemon_config *good(TALLOC_CTX *mem_ctx, const char *text)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(mem_ctx, text, &config, &errors);

	if (err != EVERR_OK) {
		print_error("%s\n", errors->messages[0]);
	}
	assert_int_equal(err, EVERR_OK);
	return config;
}

/* The only complaint about text; what it holds after "FILE:" is checked. */
static void bad(TALLOC_CTX *mem_ctx, const char *text, const char *want)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(mem_ctx, text, &config, &errors);

	assert_int_equal(err, EVERR_CONFIG);
	assert_null(config);
	assert_int_equal(errors->num_messages, 1);
	if (strstr(errors->messages[0], want) == NULL) {
		print_error("got: %s\n", errors->messages[0]);
		fail();
	}
}

static const struct daemon_channel *channel(const struct daemon_config *config,
					    const char *name)
{
	size_t i;

	for (i = 0; i < config->num_channels; i++) {
		if (strcmp(config->channels[i].name, name) == 0) {
			return &config->channels[i];
		}
	}
	return NULL;
}

static void test_an_empty_file_gives_the_defaults(void **state)
{
	struct daemon_config *config = good(*state, "");

	assert_true(config->rpc.endpoint_mapper);
	assert_int_equal(config->rpc.endpoint_mapper_port, 135);
	assert_string_equal(config->rpc.listen[0], "0.0.0.0");
	assert_string_equal(config->rpc.listen[1], "::");
	assert_null(config->rpc.listen[2]);
	assert_false(config->store.asynchronous);
	assert_int_equal(config->num_channels, 5);
	assert_non_null(strstr(config->manifests, "/evenlog/manifests"));
	assert_non_null(channel(config, "Security"));
	assert_true(channel(config, "Evenlog/Operational")->config.enabled);
}

static void test_values_reach_their_places(void **state)
{
	struct daemon_config *config = good(
		*state,
		"[evenlog]\ncomputer = log1.example\nlog_level = debug\n"
		"manifests = /srv/man\n"
		"[store]\npath = /srv/log\nmap_size = 2T\nsynchronous = no\n"
		"[rpc]\nlisten = 127.0.0.1 , ::1\nport = 5000\n"
		"[access]\nevent_log_readers = alice, DOM\\Event Readers\n"
		"[channel System]\nmax_size = 64M\nmax_age = 30d\n"
		"[channel Foo/Bar]\nenabled = no\n"
		"access = O:BAG:SYD:(A;;0x1;;;BA)\n");

	assert_string_equal(config->computer, "log1.example");
	assert_string_equal(config->manifests, "/srv/man");
	assert_int_equal(config->log_level, DAEMON_LOG_DEBUG);
	assert_string_equal(config->store.path, "/srv/log");
	assert_int_equal(config->store.limits.map_size, 2ULL << 40);
	assert_true(config->store.asynchronous);
	assert_string_equal(config->rpc.listen[1], "::1");
	assert_int_equal(config->rpc.port, 5000);
	assert_string_equal(config->rpc.readers[1], "DOM\\Event Readers");
	assert_int_equal(channel(config, "System")->config.max_bytes, 64 << 20);
	assert_int_equal(channel(config, "System")->config.max_age, 30 * 86400);
	assert_false(channel(config, "Foo/Bar")->config.enabled);
	assert_string_equal(channel(config, "Foo/Bar")->config.sddl,
			    "O:BAG:SYD:(A;;0x1;;;BA)");
	assert_int_equal(config->num_channels, 6);

	/* What the file says itself is told from defaults. */
	assert_int_equal(channel(config, "System")->keys,
			 DAEMON_CHANNEL_MAX_SIZE | DAEMON_CHANNEL_MAX_AGE);
	assert_int_equal(channel(config, "Foo/Bar")->keys,
			 DAEMON_CHANNEL_ENABLED | DAEMON_CHANNEL_ACCESS);
	assert_int_equal(channel(config, "Security")->keys, 0);
	assert_true(channel(config, "System")->built_in);
	assert_false(channel(config, "Foo/Bar")->built_in);
}

static void test_long_channel_names_are_kept_whole(void **state)
{
	struct daemon_config *config =
		good(*state, "[channel Microsoft-Windows-TerminalServices-"
			     "LocalSessionManager/Operational]\n");

	assert_non_null(channel(config, "Microsoft-Windows-TerminalServices-"
					"LocalSessionManager/Operational"));
}

static void test_mistakes_name_line_and_what_is_allowed(void **state)
{
	bad(*state, "[rpc]\nprot = 1\n",
	    ":2: unknown key 'prot'; this "
	    "section takes listen, port,");
	bad(*state, "[rpc]\n\nport = 65536\n",
	    ":3: port = 65536: must be a number from 0 to 65535");
	bad(*state, "[rpc]\nport = 1x\n", ":2: port = 1x: must be");
	bad(*state, "[rpc]\nport = -1\n", ":2: port = -1: must be");
	bad(*state, "[store]\nsynchronous = maybe\n", "must be yes or no");
	bad(*state, "[store]\npath = store\n", "must be an absolute path");
	bad(*state, "[store]\nmap_size = 99999999999999999999T\n",
	    "must be a size from");
	bad(*state, "[channel A]\nmax_age = 5 days\n", "must be a time");
	bad(*state, "[evenlog]\nlog_level = loud\n",
	    "must be one of error, warning, info, debug");
	bad(*state, "[evenlog]\ncomputer =\n", "must not be empty");
	bad(*state, "[evnlog]\ncomputer = a\n", "unknown section [evnlog]");
	bad(*state, "[channel a?b]\nenabled = no\n", "a channel's name has");
	bad(*state, "[authentication]\nrealm = A\n", "go together");
}

/* One that cannot be read would close the channel to everybody. */
static void test_an_access_string_must_be_one(void **state)
{
	static const char *const wrong[] = {
		"nonsense",
		"alice",
		"0x1",
		"O:BAG:SY",
		"O:BAG:SYS:(A;;0x1;;;WD)",
		"O:BAG:SYD:(A;;0x1;;;alice)",
		"O:BAG:SYD:(A;;0x1;;;AU",
		"O:BAG:SYD:(A;;0x1;;AU)",
		"O:BAG:SYD:(X;;0x1;;;AU)",
		"O:BAG:SYD:(A;;0x1;;;AU)(",
	};
	static const char *const right[] = {
		"O:BAG:SYD:",
		"D:(A;;0x1;;;AU)",
		"O:BAG:SYD:(D;;0xf0007;;;BG)(A;;0x5;;;S-1-5-21-1-2-3-1104)",
		"O:DAG:DAD:(A;;0x7;;;DA)S:(AU;SAFA;0x7;;;WD)",
	};
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "[channel A]\naccess = %s\n",
			 wrong[i]);
		bad(*state, text, "must be an access string (SDDL) such as");
	}
	for (i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "[channel A]\naccess = %s\n",
			 right[i]);
		assert_string_equal(
			channel(good(*state, text), "A")->config.sddl,
			right[i]);
	}
}

static void test_a_key_given_twice_is_refused(void **state)
{
	bad(*state, "[rpc]\nport = 1\nport = 2\n", ":3: 'port' is given twice");
}

static void test_a_section_may_be_taken_up_again(void **state)
{
	struct daemon_config *config =
		good(*state, "[rpc]\nport = 1\n[store]\npath = /a\n"
			     "[rpc]\nsubscriptions = 7\n");

	assert_int_equal(config->rpc.port, 1);
	assert_int_equal(config->rpc.limits.subscriptions, 7);
	bad(*state, "[rpc]\nport = 1\n[store]\npath = /a\n[rpc]\nport = 2\n",
	    ":6: 'port' is given twice");
}

static void test_a_line_that_is_no_setting_is_refused(void **state)
{
	bad(*state, "[rpc]\nport = 1\nnonsense\n", ":3: ");
}

static void test_all_mistakes_are_told_at_once(void **state)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = load(*state, "[rpc]\nport = x\nfoo = 1\n[bar]\na = b\n",
			   &config, &errors);

	assert_int_equal(err, EVERR_CONFIG);
	assert_int_equal(errors->num_messages, 3);
}

static void test_a_missing_file_that_was_asked_for_is_an_error(void **state)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err = daemon_config_load(*state, "/nonexistent/evenlog.conf",
					 &config, &errors);

	assert_int_equal(err, EVERR_IO);
	assert_string_equal(errors->messages[0],
			    "/nonexistent/evenlog.conf: there is no such file");
}

static void test_a_member_has_files_of_its_own_and_a_keytab(void **state)
{
	struct daemon_config *config = NULL;
	struct rpc_smb_conf options = {};
	const char *path = NULL;

	config = good(*state, "[authentication]\nsamba_state = /s\n"
			      "samba_configuration = member\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/s/smb.conf");
	assert_string_equal(options.dir, "/s");
	assert_string_equal(options.member, "/etc/samba/smb.conf");
	assert_string_equal(options.keytab, EVENLOG_CONFDIR "/evenlog.keytab");

	config = good(*state, "[authentication]\nkeytab = /k\n"
			      "samba_configuration = member\n");
	(void)daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(options.keytab, "/k");

	config = good(*state, "[authentication]\nsamba_state = /s\n"
			      "samba_configuration = private\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/s/smb.conf");
	assert_null(options.member);
	assert_null(options.keytab);

	config = good(*state, "[authentication]\n"
			      "samba_configuration = system\n");
	path = daemon_config_smb_conf(*state, config, &options);
	assert_string_equal(path, "/etc/samba/smb.conf");
	assert_null(options.dir);
}

static void test_without_a_listener_the_bridge_is_off(void **state)
{
	struct daemon_config *config = good(*state, "");

	assert_int_equal(config->soap.num_listeners, 0);
	assert_null(config->soap.configmgr.inbox);
}

static void test_a_listener_has_safe_defaults(void **state)
{
	struct daemon_config *config =
		good(*state, "[evenlog]\ncomputer = log1.example\n"
			     "[listener dss]\nserve = wsus\nport = 8530\n");
	const struct soap_listener_config *listener =
		&config->soap.listeners[0];

	assert_int_equal(config->soap.num_listeners, 1);
	assert_string_equal(listener->http.name, "dss");
	assert_int_equal(listener->roles, SOAP_ROLE_WSUS);
	assert_int_equal(listener->http.port, 8530);
	assert_string_equal(listener->http.address, "127.0.0.1");
	assert_string_equal(listener->http.allow[0], "127.0.0.0/8");
	assert_string_equal(listener->http.allow[1], "::1");
	assert_null(listener->http.allow[2]);
	assert_null(listener->http.certificate);
	assert_int_equal(listener->http.client_certificate,
			 HTTP_CLIENT_CERTIFICATE_NONE);
	assert_int_equal(listener->http.limits.connections, 2048);
	assert_true(config->soap.wsus.enabled);
	assert_int_equal(config->soap.wsus.body_max, 512 << 20);
	assert_int_equal(config->soap.wsus.cookie_seconds, 4 * 3600);
	assert_int_equal(config->soap.configmgr.signatures,
			 CONFIGMGR_SIGNATURES_PRESENT);
	assert_int_equal(config->soap.configmgr.body_max, 8 << 20);
	assert_int_equal(config->soap.configmgr.payload_max, 64 << 20);
	assert_int_equal(config->soap.configmgr.replay_seconds, 7 * 86400);
	assert_string_equal(config->soap.configmgr.host, "log1.example");
	assert_string_equal(config->soap.computer, "log1.example");
	assert_non_null(strstr(config->soap.quarantine, "/quarantine"));
}

static void test_values_of_the_bridge_reach_their_places(void **state)
{
	struct daemon_config *config = good(
		*state,
		"[listener first]\nserve = metrics\nport = 0\n"
		"[listener mp.tls]\nserve = ConfigMgr , wsus\naddress = ::\n"
		"port = 443\nallow = 10.0.0.0/8, 2001:db8::/32,192.0.2.7\n"
		"certificate = /c\nkey = /k\nclient_ca = /ca\n"
		"client_certificate = required\nconnections = 3\n"
		"connections_per_address = 2\nheader_size = 8K\n"
		"idle_timeout = 2m\nhead_timeout = 4\nbody_timeout = 5\n"
		"body_rate = 6K\n"
		"[wsus]\nenabled = no\ncatalogue = /w\n"
		"detailed_rollup = no\ncorrect_clocks = no\n"
		"strict_accounts = yes\ncompress = yes\nmax_body = 7M\n"
		"cookie_lifetime = 1h\nservers_max = 8\ncomputers_max = 9\n"
		"statuses_max = 10\n"
		"[configmgr]\nenabled = no\nsite_code = AB1\nhost = mp.x\n"
		"signatures = required\nmax_body = 11M\nmax_payload = 12M\n"
		"replay_window = 13m\nreplay_max = 14\nclients_max = 15\n"
		"inbox = /in\n"
		"[quarantine]\ndirectory = /q\nmax_size = 16M\n"
		"max_entries = 17\nmax_entry_size = 18K\n");
	const struct soap_listener_config *mp = &config->soap.listeners[1];
	const struct wsus_config *wsus = &config->soap.wsus;
	const struct configmgr_config *configmgr = &config->soap.configmgr;

	assert_int_equal(config->soap.num_listeners, 2);
	assert_int_equal(config->soap.listeners[0].roles, SOAP_ROLE_METRICS);
	assert_string_equal(mp->http.name, "mp.tls");
	assert_int_equal(mp->roles, SOAP_ROLE_WSUS | SOAP_ROLE_CONFIGMGR);
	assert_string_equal(mp->http.address, "::");
	assert_int_equal(mp->http.port, 443);
	assert_string_equal(mp->http.allow[1], "2001:db8::/32");
	assert_string_equal(mp->http.allow[2], "192.0.2.7");
	assert_null(mp->http.allow[3]);
	assert_string_equal(mp->http.certificate, "/c");
	assert_string_equal(mp->http.key, "/k");
	assert_string_equal(mp->http.client_ca, "/ca");
	assert_int_equal(mp->http.client_certificate,
			 HTTP_CLIENT_CERTIFICATE_REQUIRED);
	assert_int_equal(mp->http.limits.connections, 3);
	assert_int_equal(mp->http.limits.connections_per_address, 2);
	assert_int_equal(mp->http.limits.header_bytes, 8192);
	assert_int_equal(mp->http.limits.idle_seconds, 120);
	assert_int_equal(mp->http.limits.head_seconds, 4);
	assert_int_equal(mp->http.limits.body_seconds, 5);
	assert_int_equal(mp->http.limits.body_rate, 6144);

	assert_false(wsus->enabled);
	assert_string_equal(wsus->catalogue, "/w");
	assert_false(wsus->detailed_rollup);
	assert_false(wsus->correct_clocks);
	assert_true(wsus->strict_accounts);
	assert_true(wsus->compress);
	assert_int_equal(wsus->body_max, 7 << 20);
	assert_int_equal(wsus->cookie_seconds, 3600);
	assert_int_equal(wsus->servers_max, 8);
	assert_int_equal(wsus->computers_max, 9);
	assert_int_equal(wsus->statuses_max, 10);

	assert_false(configmgr->enabled);
	assert_string_equal(configmgr->site_code, "AB1");
	assert_string_equal(configmgr->host, "mp.x");
	assert_int_equal(configmgr->signatures, CONFIGMGR_SIGNATURES_REQUIRED);
	assert_int_equal(configmgr->body_max, 11 << 20);
	assert_int_equal(configmgr->payload_max, 12 << 20);
	assert_int_equal(configmgr->replay_seconds, 13 * 60);
	assert_int_equal(configmgr->replay_max, 14);
	assert_int_equal(configmgr->clients_max, 15);
	assert_string_equal(configmgr->inbox, "/in");

	assert_string_equal(config->soap.quarantine, "/q");
	assert_int_equal(config->soap.quarantine_limits.bytes, 16 << 20);
	assert_int_equal(config->soap.quarantine_limits.entries, 17);
	assert_int_equal(config->soap.quarantine_limits.entry_bytes, 18 << 10);
}

static void test_mistakes_of_the_bridge_say_what_is_allowed(void **state)
{
	static const char *const networks[] = {
		"10.0.0.0/33", "::/129",       "10.0.0.0/",
		"10.0.0/8",    "host.example", "10.0.0.0/8/8",
		"/8",	       "10.0.0.0/-1",  "10.0.0.0/8,x"};
	char text[128];
	size_t i;

	bad(*state, "[listener a]\nport = 1\n",
	    "[listener a]: 'serve' is missing; it takes wsus, configmgr and");
	bad(*state, "[listener a]\nserve = wsus\n",
	    "[listener a]: 'port' is missing; downstream servers expect 8530");
	bad(*state, "[listener a]\nserve = wsus ftp\nport = 1\n",
	    ":2: serve = wsus ftp: must be one or more, with commas, of wsus, "
	    "configmgr, metrics");
	bad(*state, "[listener a]\nserve = ,\nport = 1\n", "one or more");
	bad(*state, "[listener a]\nserve = wsus\nport = 1\naddress = any\n",
	    ":4: address = any: must be an IPv4 or IPv6 address in numbers");
	bad(*state, "[listener a]\nserve = wsus\nport = 1\nkey = /k\n",
	    "[listener a]: certificate and key go together");
	bad(*state,
	    "[listener a]\nserve = wsus\nport = 1\ncertificate = /c\n"
	    "key = /k\nclient_certificate = optional\n",
	    "client_certificate wants certificate, key and client_ca");
	bad(*state,
	    "[listener a]\nserve = wsus\nport = 1\ncertificate = /c\n"
	    "key = /k\nclient_ca = /ca\n",
	    "[listener a]: client_ca wants client_certificate = optional or "
	    "required");
	bad(*state, "[listener a b]\nserve = wsus\nport = 1\n",
	    "[listener a b]: a listener's name has 1 to 64 letters, digits");
	bad(*state, "[listener a]\nserve = wsus\nport = 1\nallo = ::1\n",
	    ":4: unknown key 'allo'; this section takes serve, port, address,");
	bad(*state, "[listener a]\nserve = wsus\nport = 1\nidle_timeout = 0\n",
	    ":4: idle_timeout = 0: must be a time from 1 to 86400 seconds");
	bad(*state, "[configmgr]\nsite_code = EVLX\n",
	    ":2: site_code = EVLX: must be three letters or digits");
	bad(*state, "[configmgr]\nsignatures = maybe\n",
	    "must be one of off, present, required");
	bad(*state, "[wsus]\nservers_max = 0\n",
	    "must be a number of servers from 1 to 100000");
	bad(*state, "[quarantine]\nmax_size = 1M\nmax_entry_size = 2M\n",
	    "max_entry_size is larger than max_size");

	for (i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		snprintf(text, sizeof(text),
			 "[listener a]\nserve = wsus\nport = 1\nallow = %s\n",
			 networks[i]);
		bad(*state, text,
		    "must be up to 1024 addresses or networks with commas");
	}
}

/* ------------------------------------------------------------- forward */

#define TCP "[forward siem]\ntransport = tcp\nhost = siem.example\n"

static void test_an_output_has_its_defaults(void **state)
{
	struct daemon_config *config = good(*state, TCP);
	const struct forward_config *output = &config->outputs[0];

	assert_int_equal(config->num_outputs, 1);
	assert_string_equal(output->name, "siem");
	assert_string_equal(output->channels[0], "*");
	assert_null(output->channels[1]);
	assert_null(output->query);
	assert_int_equal(output->start, FORWARD_FROM_OLDEST);
	assert_int_equal(output->format, FORWARD_RFC5424);
	assert_int_equal(output->facility, 1);
	assert_string_equal(output->sd_id, "evenlog@32473");
	assert_int_equal(output->max_message, 64 * 1024);
	assert_int_equal(output->transport, FORWARD_TCP);
	assert_int_equal(output->framing, FORWARD_OCTET_COUNTING);
	assert_string_equal(output->host, "siem.example");
	assert_int_equal(output->port, 0);
	assert_int_equal(output->backoff_max, 60);
	assert_int_equal(output->idle_timeout, 60);
}

static void test_an_output_has_what_is_written(void **state)
{
	struct daemon_config *config =
		good(*state, "[forward audit]\n"
			     "channels = Security, System\n"
			     "query = *[System[Level<=3]]\n"
			     "start = now\nformat = rfc5424-json\n"
			     "facility = local4\nsd_id = dc@12345.6\n"
			     "max_message = 8K\ntransport = tls\n"
			     "host = 2001:db8::1\nport = 10514\n"
			     "ca = /ca.pem\ncertificate = /c.pem\n"
			     "key = /k.pem\nserver_name = siem\n"
			     "window = 64\nbackoff_max = 5m\n"
			     "idle_timeout = 2m\n"
			     "[forward local]\ntransport = unix\n"
			     "path = /dev/log\nformat = rfc3164\n"
			     "facility = 13\n");
	const struct forward_config *output = &config->outputs[0];

	assert_int_equal(config->num_outputs, 2);
	assert_string_equal(output->channels[1], "System");
	assert_string_equal(output->query, "*[System[Level<=3]]");
	assert_int_equal(output->start, FORWARD_FROM_NOW);
	assert_int_equal(output->format, FORWARD_RFC5424_JSON);
	assert_int_equal(output->facility, 20);
	assert_string_equal(output->sd_id, "dc@12345.6");
	assert_int_equal(output->max_message, 8192);
	assert_int_equal(output->transport, FORWARD_TLS);
	assert_int_equal(output->port, 10514);
	assert_string_equal(output->server_name, "siem");
	assert_int_equal(output->window, 64);
	assert_int_equal(output->backoff_max, 300);
	assert_int_equal(output->idle_timeout, 120);
	output = &config->outputs[1];
	assert_string_equal(output->path, "/dev/log");
	assert_int_equal(output->max_message, 8192);
	assert_int_equal(output->facility, 13);
}

/* rsyslog 8.2302 has 65,535 bytes of structured data at most. */
static void test_the_longest_message_goes_by_format_and_transport(void **state)
{
	static const struct {
		const char *text;
		uint64_t max_message;
	} cases[] = {
		{TCP "format = rfc5424\n", 65536},
		{TCP "format = rfc3164\n", 65536},
		{TCP "format = json\n", 262144},
		{TCP "format = rfc5424-json\n", 262144},
		{"[forward s]\ntransport = relp\nhost = x\n", 65536},
		{"[forward s]\ntransport = udp\nhost = x\nformat = json\n",
		 8192},
		{"[forward s]\ntransport = unix\npath = /x\nformat = json\n",
		 8192},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct daemon_config *config = good(*state, cases[i].text);

		assert_int_equal(config->outputs[0].max_message,
				 cases[i].max_message);
	}
}

static void test_a_structured_query_names_the_channels(void **state)
{
	struct daemon_config *config = good(
		*state, TCP "query = <QueryList><Query Id='0'><Select "
			    "Path='Security'>*</Select></Query></QueryList>\n");

	assert_null(config->outputs[0].channels);
	bad(*state,
	    TCP "channels = Security\nquery = <QueryList><Query><Select "
		"Path='Security'>*</Select></Query></QueryList>\n",
	    ":5: a structured query names its channels");
	bad(*state,
	    TCP "query = <QueryList><Query><Select Path='file://x'>*</Select>"
		"</Query></QueryList>\n",
	    ":4: the query selects from 'file://x'");
}

static void test_what_is_wrong_with_an_output_is_said(void **state)
{
	bad(*state, "[forward siem]\nhost = siem\n",
	    ":2: [forward siem]: 'transport' is missing");
	bad(*state, "[forward siem]\ntransport = tcp\n",
	    ":2: [forward siem]: 'host' is missing");
	bad(*state, "[forward siem]\ntransport = unix\n",
	    ":2: [forward siem]: 'path' is missing");
	bad(*state, "[forward a b]\ntransport = udp\nhost = x\n",
	    "1 to 64 letters");
	bad(*state, TCP "path = /dev/log\n", ":4: [forward siem]: 'path'");
	bad(*state, "[forward s]\ntransport = unix\npath = /x\nport = 1\n",
	    "host and port are not for");
	bad(*state, TCP "ca = /ca.pem\n", "are for transport = tls");
	bad(*state,
	    "[forward s]\ntransport = tls\nhost = x\ncertificate = /c\n",
	    ":4: [forward s]: certificate and key go together");
	bad(*state,
	    "[forward s]\ntransport = relp\nhost = x\nframing = newline\n",
	    ":4: [forward s]: 'framing'");
	bad(*state, TCP "facility = nonsense\n", ":4: [forward siem]: 'facil");
	bad(*state, TCP "facility = 24\n", ":4: [forward siem]: 'facility'");
	bad(*state, TCP "sd_id = evenlog\n", ":4: [forward siem]: 'sd_id'");
	bad(*state, TCP "max_message = 1000\n", ":4: max_message");
	bad(*state, TCP "query = *[System[\n", ":4: query: ");
	bad(*state, TCP "channels = a/b, A/B\n", ":4: channel A/B is given");
	bad(*state, TCP "channels = a<b\n", ":4: 'a<b' is not a channel");
	bad(*state, TCP "host_name = x\n", ":4: unknown key 'host_name'");
	bad(*state,
	    "[forward s]\ntransport = udp\nhost = x\n"
	    "max_message = 64K\n",
	    "a datagram has at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_an_empty_file_gives_the_defaults),
		leak_test(test_values_reach_their_places),
		leak_test(test_long_channel_names_are_kept_whole),
		leak_test(test_mistakes_name_line_and_what_is_allowed),
		leak_test(test_an_access_string_must_be_one),
		leak_test(test_a_key_given_twice_is_refused),
		leak_test(test_a_section_may_be_taken_up_again),
		leak_test(test_a_line_that_is_no_setting_is_refused),
		leak_test(test_all_mistakes_are_told_at_once),
		leak_test(test_a_missing_file_that_was_asked_for_is_an_error),
		leak_test(test_a_member_has_files_of_its_own_and_a_keytab),
		leak_test(test_without_a_listener_the_bridge_is_off),
		leak_test(test_a_listener_has_safe_defaults),
		leak_test(test_values_of_the_bridge_reach_their_places),
		leak_test(test_mistakes_of_the_bridge_say_what_is_allowed),
		leak_test(test_an_output_has_its_defaults),
		leak_test(test_an_output_has_what_is_written),
		leak_test(
			test_the_longest_message_goes_by_format_and_transport),
		leak_test(test_a_structured_query_names_the_channels),
		leak_test(test_what_is_wrong_with_an_output_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
