"""Every limit on how often something may be tried, and the reason for each number."""

from dataclasses import dataclass

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Limit:
    """How many attempts of one kind are allowed within a number of seconds."""

    of: str
    amount: int
    seconds: int


FAILURES_PER_ACCOUNT = Limit("failures", 10, 15 * MINUTE)
# A person who has forgotten which password it was tries five or six. A guesser gets 960 a day.

FAILURES_PER_ACCOUNT_IN_A_DAY = Limit("failures in a day", 100, DAY)
# At most 100 failures in a row (NIST SP 800-63B-4 section 3.2.2), then a rest until a day after
# the first: a permanent lock would let any stranger shut a person out.

FAILURES_PER_ADDRESS = Limit("failures", 100, 15 * MINUTE)
# An office or a mobile network shares an address: ten people may have a bad quarter of an hour.

REGISTRATIONS_PER_ADDRESS = Limit("registrations", 20, HOUR)
# A class or a workshop signs up together. It also bounds how many addresses a stranger can look
# up by `email_taken`.

REFRESHES_PER_SESSION = Limit("refreshes", 60, MINUTE)
# A page refreshes once in some minutes; a dozen tabs that wake up at once, a dozen times.

FAILED_PROOFS_PER_SESSION = Limit("failed proofs", 60, MINUTE)
# Of one session from one network address. A page without its key asks once and then logs in, so
# more is an attacker with a stolen cookie. The owner's proofs, from elsewhere, are not counted.

MAILS_PER_ADDRESS = Limit("mails", 5, HOUR)
# A person who waits for a mail asks two or three times. More would let a stranger fill the mailbox.

MAILS_PER_NETWORK = Limit("mails", 20, HOUR)
# An office in which several people have forgotten their passwords. A stranger with a list of
# addresses reaches few of them.

MAILS_OF_A_KIND = Limit("mails of a kind", 1, 5 * MINUTE)
# A person who asks twice gets one mail, whose link is the newest. It is not refused but silent, and
# AUTHSVC_RATE_LIMIT_FACTOR does not multiply it.

NOTICES_PER_ACCOUNT = Limit("notices", 5, HOUR)
# Of new browsers. A stranger may have registered the address, and can log in by any number of them.

FACTOR_CHANGES_PER_ACCOUNT = Limit("factor changes", 20, HOUR)
# Each mails a notice. Setting up an app, recovery codes and some passkeys takes fewer.

PASSWORD_CHANGES_PER_ACCOUNT = Limit("password changes", 5, HOUR)
# Where mail is configured: each mails a notice, and the address need not be verified. Without a
# limit, a stranger who registers another person's address could fill that mailbox.
