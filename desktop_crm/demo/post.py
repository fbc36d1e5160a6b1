"""Two hundred messages as files: threads with customers, and all that disturbs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from desktop_crm.demo import texts
from desktop_crm.demo.story import DOMAIN, Deal, Person, Story, slug

COUNT: Final = 200
INBOX: Final = "Inbox"
SENT: Final = "Sent Items"
_POLICY: Final = SMTP.clone(max_line_length=200)


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Somebody with a name and an address."""

    name: str
    address: str

    def __str__(self) -> str:
        """As it stands in a header."""
        return f'"{self.name}" <{self.address}>'


@dataclass(slots=True)
class Letter:
    """One message before it becomes a file."""

    folder: str
    sender: Correspondent
    to: Sequence[Correspondent]
    subject: str
    text: str
    at: datetime
    cc: Sequence[Correspondent] = ()
    answers: Letter | None = None
    headers: tuple[tuple[str, str], ...] = ()
    html: bool = False
    attachment: str = ""
    message_id: str = ""


def write(story: Story, folder: Path) -> int:
    """Write the messages below a folder, one file each; returns how many."""
    letters = sorted(_letters(story), key=lambda letter: letter.at)
    for number, letter in enumerate(letters, 1):
        letter.message_id = f"<{number:04d}.{slug(letter.subject)[:40]}@mail.{DOMAIN}>"
    for number, letter in enumerate(letters, 1):
        place = folder / letter.folder
        place.mkdir(parents=True, exist_ok=True)
        name = f"{number:03d}-{slug(letter.subject)[:60]}.eml"
        (place / name).write_bytes(_message(letter).as_bytes(policy=_POLICY))
    return len(letters)


def _letters(story: Story) -> list[Letter]:
    me = Correspondent(story.name, story.address)
    others = [*_noise(story, me), *_people(story, me)]
    letters = list(others)
    for number in range(200):
        left = COUNT - len(letters)
        if left <= 0:
            break
        letters += _thread(story, me, number)[:left]
    return letters


def _thread(story: Story, me: Correspondent, number: int) -> list[Letter]:
    """An exchange about a deal, two to five messages to and fro."""
    rng = story.rng
    live = [d for d in story.deals if d.stage not in {"won", "lost"} or d.id % 4 == 0]
    deal = live[(number * 3) % len(live)]
    person = next(p for p in story.contacts if p.id == deal.contact)
    you = Correspondent(person.name, person.email)
    topic = texts.TOPICS[person.language][number % len(texts.TOPICS[person.language])]
    first = -rng.randint(2, min(60, max(3, deal.opened_days_ago)))
    moment = story.at(story.working(first), 8 + number % 9, rng.randint(0, 59))
    letters: list[Letter] = []
    for turn, text in enumerate(topic.turns[: 2 + number % 4]):
        incoming = (turn % 2 == 0) == topic.starts_outside
        if moment > story.at(0, 8):
            break
        before = letters[-1] if letters else None
        words = _words(story, deal, you if incoming else me, me if incoming else you)
        subject = texts.fill(topic.subject, words)
        answer = texts.REPLY[person.language] if turn else ""
        letters.append(
            Letter(
                folder=INBOX if incoming else SENT,
                sender=you if incoming else me,
                to=[me] if incoming else [you],
                subject=f"{answer}{subject}",
                text=_body(story, text, words, person.language, before),
                at=moment,
                cc=_copies(story, number, turn),
                answers=before,
                html=number % 4 == 1,
                attachment=topic.attachment if turn == 0 and number % 3 == 0 else "",
            )
        )  # fmt: skip
        moment = _office_hours(
            story, moment + timedelta(hours=rng.randint(2, 46)), rng.randint(1, 59)
        )
    return letters


def _office_hours(story: Story, moment: datetime, minute: int) -> datetime:
    """The same day between eight and six; nights and weekends wait for the next working day."""
    local = moment.astimezone(story.zone)
    days = (local.date() - story.today).days + (local.hour >= 18)
    while (story.today + timedelta(days=days)).weekday() >= 5:
        days += 1
    hour = local.hour if 8 <= local.hour < 18 else 8 + local.hour % 9
    return max(story.at(days, hour, minute), moment.replace(hour=0, minute=0))


def _copies(story: Story, number: int, turn: int) -> Sequence[Correspondent]:
    if number % 5 or turn or not story.colleagues:
        return ()
    return [Correspondent(*story.colleagues[number % len(story.colleagues)])]


def _words(story: Story, deal: Deal, sender: Correspondent, to: Correspondent) -> dict[str, str]:
    quote = story.numbers.get(deal.id, "")
    return {
        "deal": deal.name.partition(" – ")[0],
        "first": to.name.split()[0],
        "name": sender.name,
        "number": f" [{quote}]" if quote else "",
        "day": f"{story.today + timedelta(days=story.working(9)):%d.%m.%Y}",
    }


def _body(
    story: Story, text: str, words: dict[str, str], language: str, before: Letter | None
) -> str:
    greeting, closing = texts.FRAME[language]
    body = texts.fill(f"{greeting}\n\n{text}\n\n{closing}\n{{name}}\n", words)
    if before is None:
        return body
    quoted = "\n".join(f"> {line}".rstrip() for line in before.text.splitlines()[:12])
    wrote = texts.WROTE[language].format(
        day=f"{before.at.astimezone(story.zone):%d.%m.%Y %H:%M}", name=before.sender.name
    )
    return f"{body}\n{wrote}\n{quoted}\n"


def _people(story: Story, me: Correspondent) -> Iterator[Letter]:
    """Leads, unknown people of known companies, and strangers."""
    for number, lead in enumerate(story.leads[:5]):
        yield _enquiry(story, me, lead, number)
    for number in range(7):
        customer = story.customers[(number * 9) % len(story.customers)]
        sender = Correspondent(texts.CLERKS[number], f"reception@{customer.domain}")
        text = texts.CLERK_TEXT.format(name=sender.name, company=customer.name)
        yield _in(story, me, sender, "Delivery note and opening hours", text, -number * 4 - 2)
    for number, (name, address, subject, text) in enumerate(texts.STRANGERS):
        sender = Correspondent(name, address)
        yield _in(story, me, sender, subject, text, -number * 3 - 1)


def _enquiry(story: Story, me: Correspondent, lead: Person, number: int) -> Letter:
    sender = Correspondent(lead.name, lead.email)
    subject, text = texts.ENQUIRIES[number % len(texts.ENQUIRIES)]
    return _in(story, me, sender, subject, f"{text}\n\n{lead.name}\n", -3 * number - 2)


def _noise(story: Story, me: Correspondent) -> Iterator[Letter]:
    """Newsletters, answers of programs, internal and private mail."""
    for number in range(14):
        writer, subject, text = texts.NEWSLETTERS[number % len(texts.NEWSLETTERS)]
        letter = _in(story, me, Correspondent(*writer), f"{subject} {14 - number}", text,
                     -number * 5 - 1)  # fmt: skip
        letter.html = True
        letter.headers = (
            ("List-Unsubscribe", f"<https://{writer[1].partition('@')[2]}/unsubscribe>"),
            ("Precedence", "bulk"),
        )
        yield letter
    for number in range(8):
        person = story.contacts[(number * 13) % len(story.contacts)]
        sender = Correspondent(person.name, person.email)
        subject, text = texts.AWAY[person.language]
        letter = _in(story, me, sender, subject, text, -number * 6 - 3)
        letter.headers = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"))
        yield letter
    for number in range(12 if story.colleagues else 0):
        colleague = Correspondent(*story.colleagues[number % len(story.colleagues)])
        subject, text = texts.INTERNAL[number % len(texts.INTERNAL)]
        letter = _in(story, me, colleague, subject, text, -number * 4 - 1)
        if number % 3 == 2:
            letter.folder, letter.sender, letter.to = SENT, me, [colleague]
        yield letter
    for number in range(5):
        person = story.contacts[(number * 17 + 4) % len(story.contacts)]
        sender = Correspondent(person.name, person.email)
        letter = _in(story, me, sender, "Personal", texts.PRIVATE, -number * 9 - 2)
        letter.headers = (("Sensitivity", "Private"),)
        yield letter


def _in(
    story: Story, me: Correspondent, sender: Correspondent, subject: str, text: str, days: int
) -> Letter:
    moment = story.at(days, 7 + (-days) % 11, (-days * 7) % 60)
    return Letter(INBOX, sender, [me], subject, text, moment)


def _message(letter: Letter) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = str(letter.sender)
    message["To"] = ", ".join(map(str, letter.to))
    if letter.cc:
        message["Cc"] = ", ".join(map(str, letter.cc))
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = letter.message_id
    chain = _chain(letter)
    if chain:
        message["In-Reply-To"] = chain[-1]
        message["References"] = " ".join(chain)
    for name, value in letter.headers:
        message[name] = value
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        message.add_alternative(texts.html(letter.text), subtype="html", cte="quoted-printable")
    if letter.attachment:
        _attach(message, letter.attachment)
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        # Instead of a random one, so that the same seed gives the same files.
        part.set_boundary(f"=_{slug(letter.message_id, '_')}_{number}")
    return message


def _chain(letter: Letter) -> list[str]:
    chain: list[str] = []
    before = letter.answers
    while before is not None:
        chain.insert(0, before.message_id)
        before = before.answers
    return chain


def _attach(message: EmailMessage, name: str) -> None:
    if name.endswith(".pdf"):
        message.add_attachment(
            texts.small_pdf(name), maintype="application", subtype="pdf", filename=name
        )
    else:
        message.add_attachment(texts.LIST, subtype="plain", filename=name)
