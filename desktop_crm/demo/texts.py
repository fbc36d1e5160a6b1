"""What the people of the sample company write to each other, in English and Romanian."""

from __future__ import annotations

import html as markup
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject with its turns; the customer or we begin."""

    subject: str
    turns: tuple[str, ...]
    starts_outside: bool = True
    attachment: str = ""


REPLY: Final = {"en": "Re: ", "ro": "RE: "}
FRAME: Final = {
    "en": ("Dear {first},", "Kind regards,"),
    "ro": ("Bună ziua, {first},", "Cu stimă,"),
}
WROTE: Final = {"en": "On {day}, {name} wrote:", "ro": "Pe {day}, {name} a scris:"}

TOPICS: Final[Mapping[str, tuple[Topic, ...]]] = {
    "en": (
        Topic(
            "{deal}: layout question{number}",
            (
                "could you check whether the outfeed fits between the two columns? The clear "
                "distance is 2,380 mm. Our drawing is attached.",
                "thank you for the drawing. It fits with 60 mm on each side if the label unit "
                "moves to the left. I will send a revised layout by {day}.",
                "perfect, the left side is fine for us. Please keep the emergency stop reachable "
                "from the aisle.",
                "noted, the stop will be at the corner post. The revised layout follows.",
            ),
            attachment="hall-layout.pdf",
        ),
        Topic(
            "Offer for {deal}{number}",
            (
                "please find our offer below. It is valid until {day}; delivery takes ten weeks "
                "from the order.",
                "thank you. Could you show the installation separately and give a price for a "
                "second set of format parts?",
                "both are now separate lines. The second set is 12 % cheaper because the design "
                "already exists.",
                "received, it goes to the board next Tuesday.",
            ),
            starts_outside=False,
            attachment="offer.pdf",
        ),
        Topic(
            "Delivery date {deal}",
            (
                "our hall will be ready two weeks later than planned. Can you move the delivery "
                "accordingly?",
                "yes, we can store the machine until {day} without cost.",
                "that helps a lot, thank you.",
            ),
        ),
        Topic(
            "Visit on {day}",
            (
                "we would like to see a running machine before we decide. Is {day} possible, at "
                "about ten?",
                "you are welcome. Safety shoes are needed; we have visitors' helmets.",
                "great, three of us will come: production, purchasing and I.",
                "I have put it into our calendar and will meet you at the gate.",
            ),
        ),
        Topic(
            "Spare parts for the line",
            (
                "the suction cups wear out faster than expected. Do you have a harder type? The "
                "list of what we need is attached.",
                "there is a type with 60 Shore. I suggest a trial with one pack.",
                "please send one pack with the next delivery.",
            ),
            attachment="parts-list.txt",
        ),
    ),
    "ro": (
        Topic(
            "{deal}: întrebare despre amplasare{number}",
            (
                "vă rugăm să verificați dacă evacuarea încape între cei doi stâlpi. Distanța "
                "liberă este de 2.380 mm, schița este atașată.",
                "mulțumim pentru schiță. Încape cu 60 mm de fiecare parte dacă mutăm unitatea de "
                "etichetare în stânga. Trimit noua schiță până pe {day}.",
                "foarte bine, stânga ne convine. Butonul de oprire să rămână accesibil din culoar.",
                "am notat, butonul va fi la colț. Revenim cu schița.",
            ),
            attachment="schiță-hală.pdf",
        ),
        Topic(
            "Ofertă {deal}{number}",
            (
                "vă transmitem oferta noastră, valabilă până pe {day}. Termenul de livrare este de "
                "zece săptămâni de la comandă.",
                "mulțumim. Puteți separa montajul și adăuga un preț pentru al doilea set de piese "
                "de format?",
                "am separat pozițiile. Al doilea set este cu 12 % mai ieftin, proiectarea există.",
                "am primit, o prezentăm conducerii săptămâna viitoare.",
            ),
            starts_outside=False,
            attachment="ofertă.pdf",
        ),
        Topic(
            "Termen de livrare {deal}",
            (
                "hala va fi gata cu două săptămâni mai târziu. Putem amâna livrarea?",
                "da, putem păstra utilajul până pe {day} fără costuri.",
                "ne ajută foarte mult, mulțumim.",
            ),
        ),
        Topic(
            "Vizită pe {day}",
            (
                "am dori să vedem un utilaj în funcțiune înainte de a decide. Se poate pe {day}, "
                "în jurul orei zece?",
                "vă așteptăm cu drag. Sunt necesari pantofi de protecție, căști avem noi.",
                "venim trei persoane: producția, achizițiile și eu.",
                "am trecut vizita în calendar, ne vedem la poartă.",
            ),
        ),
        Topic(
            "Piese de schimb",
            (
                "ventuzele se uzează mai repede decât ne așteptam. Aveți un tip mai dur? Lista "
                "este atașată.",
                "există un tip cu 60 Shore. Propun o probă cu un pachet.",
                "vă rugăm să trimiteți un pachet cu următoarea livrare.",
            ),
            attachment="listă-piese.txt",
        ),
    ),
}

ENQUIRIES: Final = (
    ("Cerere de ofertă", "Bună ziua,\n\nambalăm 900 de cutii pe oră și căutăm o mașină de închis "
     "cutii. Ne puteți suna săptămâna aceasta?"),
    ("Enquiry: labelling", "Good morning,\n\nwe met at the fair. Which of your label units works "
     "with curved glass?"),
    ("Întrebare despre benzi transportoare", "Bună ziua,\n\nne trebuie 40 m de bandă cu două "
     "colțuri. Care este termenul de livrare?"),
)  # fmt: skip

CLERKS: Final = ("Reception", "Goods inward", "Recepție", "Accounts office", "Secretariat",
                 "Gate", "Contabilitate")  # fmt: skip
CLERK_TEXT: Final = (
    "Hello,\n\nthe delivery note for the last parcel was missing. Goods are taken in from 7 to 14 "
    "o'clock.\n\n{name}\n{company}\n"
)


def hello(text: str) -> str:
    """Greeting in the language of a text; only Romanian has these letters."""
    return "Bună ziua," if any(letter in text for letter in "ăâîșț") else "Hello,"


STRANGERS: Final = tuple(
    (name, address, subject, f"{hello(text)}\n\n{text}\n\n{name}\n")
    for name, address, subject, text in (
        ("Tudor Cuibaru", "tudor@cuibaru.example", "Job application, service technician",
         "I have worked on packaging lines for six years and would like to join you."),
        ("Fair Office", "exhibitors@packfair.example", "Your stand: power and water",
         "please tell us by the end of the month how much power your stand needs."),
        ("Petra Wiesengrund", "p.wiesengrund@posteo-muster.example", "Used machine",
         "do you take back a used wrapping machine of another make?"),
        ("Rent-a-Lift", "dispo@rentalift.example", "Confirmation of hire",
         "the fork lift arrives at eight o'clock at the gate you named."),
        ("Școala Profesională Meșterul", "secretariat@mesterul.example", "Vizită cu elevii",
         "am dori să vizităm atelierul cu o clasă de 18 elevi în luna următoare."),
        ("Insurance Desk", "desk@oldoak-insurance.example", "Renewal of the transport policy",
         "the policy ends at the end of the quarter; the proposal follows by post."),
        ("Hotel Poiana Cerbului", "rezervari@poianacerbului.example", "Rezervare confirmată",
         "vă confirmăm două camere pentru două nopți, mic dejun inclus."),
        ("Oskar Lindängen", "oskar@lindangen.example", "Question about sensors",
         "is the sensor set sold without installation as well?"),
        ("City Works", "permits@cityworks.example", "Permit for the crane",
         "the permit for the crane is granted for the weekend."),
        ("Traduceri Condeiul", "oferta@condeiul.example", "Traducerea manualului",
         "manualul are 84 de pagini; termenul este de nouă zile lucrătoare."),
        ("Gustav Ährenfeld", "gustav@aehrenfeld-privat.example", "Machine in the film",
         "which machine is shown in the second half of your film?"),
        ("Courier Desk", "status@swiftbird.example", "Parcel delivered",
         "the parcel was handed over at the reception."),
        ("Ludoteca Ursulețul", "contact@ursuletul.example", "Mulțumim pentru donație",
         "copiii vă mulțumesc pentru cutiile de carton!"),
        ("Steel Exchange", "quotes@steelex.example", "Prices of profiles",
         "prices of aluminium profiles rise by 3 % from next month."),
    )
)  # fmt: skip

NEWSLETTERS: Final = (
    (("Pack & Label Weekly", "news@packlabel.example"), "Pack & Label Weekly",
     "This week: thinner films, faster lines, and five questions to a plant engineer."),
    (("Industria Azi", "buletin@industria-azi.example"), "Buletin Industria Azi",
     "În acest număr: energie, robotizare și calendarul târgurilor."),
    (("Webinar Centre", "hello@webinarcentre.example"), "Free webinar",
     "Learn in 40 minutes how to read the dashboard of your line."),
)  # fmt: skip

AWAY: Final = {
    "en": ("Automatic reply: away", "Thank you for your message. I am away and will answer after "
           "my return.\n"),
    "ro": ("Răspuns automat: absent", "Vă mulțumesc pentru mesaj. Sunt plecat și răspund la "
           "întoarcere.\n"),
}  # fmt: skip

INTERNAL: Final = (
    ("Pipeline for Monday", "Please look over your dates before Monday's review.\n"),
    ("Bonuri de benzină", "Vă rog să predați bonurile până vineri.\n"),
    ("Who has the demo kit?", "The small label unit is not on the shelf.\n"),
    ("Prânz joi?", "Mergem joi la prânz la Moara?\n"),
)
PRIVATE: Final = "This is between us; please do not pass it on.\n"

LIST: Final = "CV-010;Belt;12\nSN-005;Sensor;4\nSP-077;Suction cups;30\n"


def fill(text: str, words: Mapping[str, str]) -> str:
    """Put names, numbers and days into a text."""
    return text.format_map(words)


def html(text: str) -> str:
    """A plain text as simple HTML; quoted lines become a quotation."""
    paragraphs = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        quoted = bool(lines) and all(line.startswith(">") for line in lines)
        shown = "<br>".join(markup.escape(line.lstrip("> ")) for line in lines)
        paragraphs.append(f"<blockquote>{shown}</blockquote>" if quoted else f"<p>{shown}</p>")
    return f"<html><body>{''.join(paragraphs)}</body></html>"


def small_pdf(title: str) -> bytes:
    """A PDF of one page with one line of text, written by hand."""
    line = title.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 18 Tf 72 760 Td (" + line + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % count
        + table
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    )
