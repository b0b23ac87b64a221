/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU is asked about a machine that does not answer any more. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/targets/lab/emulator.h"
#include "host/targets/lab/qemu.h"

#define ARM64                                                                            \
	"{\"return\": \"\\r\\nCPU#0\\r\\n PC=ffff800000be0078 X00=0000000000000001 "     \
	"X01=0000000000000000\\r\\nX29=ffff80000a5ebd20 X30=ffff8000083bd934  "          \
	"SP=ffff80000a5ebd20\\r\\nPSTATE=604000c9 -ZC- EL2h    FPU disabled\\r\\n\"}\r\n"
#define X86_64                                                                            \
	"{\"return\": \"\\r\\nCPU#0\\r\\nRAX=0000000000000000 RBX=0000000000000000\\r\\n" \
	"RIP=ffffffff810a2b3c RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\\r\\n\"}\r\n"

/* What QEMU answers to the question, and `text`. */
static bool where(const char *answer, char text[100])
{
	struct lab_child child;
	char command[200] = "";
	int pair[2];
	bool known;

	lab_child_init(&child);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(write(pair[1], answer, strlen(answer)), (ssize_t)strlen(answer));
	shutdown(pair[1], SHUT_WR);
	child.control = pair[0];
	known = qmp_where(&child, text, 100);
	cr_assert_gt(read(pair[1], command, sizeof(command) - 1), 0);
	cr_expect_not_null(strstr(command, "\"info registers\""));
	close(pair[0]);
	close(pair[1]);
	return known;
}

Test(qmp, the_place_of_a_machine)
{
	char text[100];

	cr_expect(where(ARM64, text));
	cr_expect_str_eq(text, "pc 0xffff800000be0078, lr 0xffff8000083bd934, "
			       "pstate 0x604000c9");
	cr_expect(where(X86_64, text));
	cr_expect_str_eq(text, "rip 0xffffffff810a2b3c, rflags 0x00000046");
}

Test(qmp, an_event_and_an_earlier_answer_are_not_the_place)
{
	char text[100];

	cr_expect(where("{\"return\": {\"status\": \"running\"}}\r\n"
			"{\"event\": \"RTC_CHANGE\"}\r\n" ARM64,
			text));
	cr_expect_eq(strncmp(text, "pc 0xffff800000be0078,", 22), 0);
}

Test(qmp, a_qemu_that_ends_or_answers_something_else_has_no_place)
{
	char text[100];

	cr_expect_not(where("", text));
	cr_expect_not(where("{\"error\": {\"class\": \"CommandNotFound\"}}\r\n", text));
	cr_expect_not(where("{\"return\": \"CPU#0 PC", text));
}

#define DONE "{\"return\": {}}\r\n"
#define GREETING(package)                                                                  \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, " \
	"\"package\": \"" package "\"}, \"capabilities\": [\"oob\"]}}\r\n"

static void expect_version(const char *answer, const char *version)
{
	struct lab_child child;
	int pair[2];

	lab_child_init(&child);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(write(pair[1], answer, strlen(answer)), (ssize_t)strlen(answer));
	child.control = pair[0];
	cr_expect_eq(qmp_begin(&child), 0);
	cr_expect_str_eq(child.version, version);
	close(pair[0]);
	close(pair[1]);
}

Test(qmp, the_version_of_the_greeting_is_that_of_the_option)
{
	expect_version(GREETING("Debian 1:7.2+dfsg-7") DONE,
		       "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)");
	expect_version(GREETING("") DONE, "QEMU emulator version 7.2.22");
	expect_version("{\"QMP\": {}}\r\n" DONE, "");
	expect_version(DONE, "");
}
