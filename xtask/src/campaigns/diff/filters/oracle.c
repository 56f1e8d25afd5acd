/* Evaluates event filters with libdovecot: one answer for each case.
 *
 * A case:    <log type 0-5> TAB <filter> TAB <arguments of an event>
 * An answer: OK TAB <exported filter> TAB <1 if it matches, else 0>, or ERR TAB <error>
 */
#include "config.h"
#include "lib.h"
#include "str.h"
#include "strescape.h"
#include "lib-event-private.h"
#include "event-filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The categories that `fantail filter eval` registers. */
static struct event_category storage = { .name = "storage" };
static struct event_category mailbox = { .name = "mailbox", .parent = &storage };
static struct event_category mail = { .name = "mail", .parent = &mailbox };
static struct event_category maildir = { .name = "maildir", .parent = &storage };
static struct event_category sql = { .name = "sql" };
static struct event_category mysql = { .name = "mysql", .parent = &sql };
static struct event_category imap = { .name = "imap" };
static struct event_category pop3 = { .name = "pop3" };
static struct event_category lmtp = { .name = "lmtp" };
static struct event_category auth = { .name = "auth" };
static struct event_category service_imap = { .name = "service:imap" };
static struct event_category service_pop3 = { .name = "service:pop3" };
static struct event_category http_client = { .name = "http-client" };

static struct event_category *const categories[] = {
	&storage, &mailbox, &mail, &maildir, &sql, &mysql, &imap, &pop3,
	&lmtp, &auth, &service_imap, &service_pop3, &http_client,
};

static void answer(FILE *out, const char *const *args)
{
	struct event_filter *filter = event_filter_create();
	struct event *event = event_create(NULL);
	const char *error;

	if (args[0] == NULL || args[1] == NULL)
		fprintf(out, "ERR\tshort case\n");
	else if (event_filter_parse(args[1], filter, &error) < 0)
		fprintf(out, "ERR\t%s\n", str_tabescape(error));
	else if (!event_import_unescaped(event, args + 2, &error))
		fprintf(out, "ERR\tevent: %s\n", str_tabescape(error));
	else {
		struct failure_context context = { .type = atoi(args[0]) };
		string_t *text = t_str_new(256);
		bool matches = event_filter_match(filter, event, &context);

		event_filter_export(filter, text);
		fprintf(out, "OK\t%s\t%d\n", str_tabescape(str_c(text)), matches ? 1 : 0);
	}
	event_unref(&event);
	event_filter_unref(&filter);
}

int main(void)
{
	const struct rlimit none = { 0, 0 };
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	(void)setrlimit(RLIMIT_CORE, &none);
	/* The lexer of 2.4 writes to standard output in some errors. */
	FILE *out = fdopen(dup(STDOUT_FILENO), "w");
	if (out == NULL || freopen("/dev/null", "w", stdout) == NULL)
		return 1;
	setvbuf(out, NULL, _IOLBF, 1 << 16);
	lib_init();
	struct event *registry = event_create(NULL);
	for (unsigned int i = 0; i < N_ELEMENTS(categories); i++)
		event_add_category(registry, categories[i]);
	while ((length = getline(&line, &capacity, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		T_BEGIN {
			answer(out, t_strsplit_tabescaped(line));
		} T_END;
	}
	event_unref(&registry);
	return fclose(out) == 0 ? 0 : 1;
}
