"""What other programs call our fields: the one place where header words are declared.

Words are compared folded, with everything but letters and digits as a space, so ``Close Date``,
``close_date`` and ``CloseDate`` are one word. English and Romanian; names and labels of our own
fields need no entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENTITY_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "account": (
        "account", "company", "customer", "client", "organization", "organisation", "firm",
        "companie", "firma", "cont", "societate", "organizatie",
    ),
    "contact": ("contact", "person", "people", "persoana", "persoana de contact"),
    "lead": ("lead", "prospect", "potential", "client potential"),
    "opportunity": (
        "opportunity", "deal", "sale", "oportunitate", "tranzactie", "afacere", "vanzare", "opp",
    ),
    "product": ("product", "item", "article", "sku", "produs", "articol"),
    "user": ("user", "agent", "rep", "sales rep", "employee", "utilizator", "agent vanzari"),
    "activity": ("activity", "task", "event", "activitate", "sarcina"),
    "quote": ("quote", "offer", "oferta"),
}  # fmt: skip
"""Words for an entity itself: ``Deal Name`` of an opportunity is its name."""

_REACH: Final[Mapping[str, tuple[str, ...]]] = {
    "email": (
        "email", "e mail", "mail", "email address", "e mail address", "email 1", "e mail 1 value",
        "work email", "business email", "primary email", "email work", "adresa de e mail",
        "adresa email", "adresa de email", "posta electronica",
    ),
    "phone": (
        "phone", "telephone", "tel", "phone number", "telephone number", "business phone",
        "work phone", "office phone", "primary phone", "phone work", "phone 1", "phone 1 value",
        "main phone", "company phone", "telefon", "numar de telefon", "nr telefon",
        "telefon serviciu", "telefon birou",
    ),
    "street": (
        "address", "street", "street address", "address line 1", "address 1", "billing street",
        "mailing street", "business street", "primary address street", "billing address",
        "mailing address", "home street", "adresa", "strada",
    ),
    "postal_code": (
        "postal code", "zip", "zip code", "postcode", "zip postal code", "billing postal code",
        "billing zip postal code", "mailing postal code", "mailing zip postal code",
        "business postal code", "postal zip code", "cod postal",
    ),
    "city": (
        "city", "town", "locality", "billing city", "mailing city", "business city", "oras",
        "localitate",
    ),
    "region": (
        "state region", "state province", "province", "county", "billing state", "mailing state",
        "billing state province", "mailing state province", "business state", "judet", "regiune",
    ),
    "country": (
        "country", "country region", "billing country", "mailing country", "business country",
        "business country region", "office location", "location country", "headquarters", "tara",
        "nation",
    ),
}  # fmt: skip

_RECORD: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": (
        "id", "record id", "external id", "hs object id", "object id", "source id", "guid",
        "external key", "legacy id", "crm id", "import id", "id extern", "identificator",
    ),
    "description": ("description", "notes", "note", "comments", "comment", "remarks",
                    "descriere", "note interne", "observatii", "comentarii"),
    "owner": (
        "owner", "sales agent", "sales rep", "salesperson", "sales person", "account manager",
        "assigned to", "assigned user", "responsible", "rep", "agent", "account owner",
        "contact owner", "deal owner", "lead owner", "opportunity owner", "company owner",
        "owner name", "record owner", "responsabil", "agent vanzari", "proprietar", "vanzator",
    ),
    "currency": ("currency", "currency code", "currency iso code", "deal currency", "moneda",
                 "valuta"),
    "website": ("website", "web site", "web", "url", "homepage", "home page", "web page",
                "pagina web", "site", "site web"),
    "do_not_email": ("email opt out", "do not email", "opt out", "opted out", "opted out of email",
                     "unsubscribed", "has opted out of email", "unsubscribed from all email",
                     "nu trimite e mail", "dezabonat"),
    "do_not_phone": ("do not call", "do not phone", "phone opt out", "nu sunati"),
    "do_not_bulk": ("do not bulk", "no mass mail", "do not bulk email", "newsletter opt out"),
}  # fmt: skip

_PERSON: Final[Mapping[str, tuple[str, ...]]] = {
    "full_name": ("name", "full name", "display name", "contact name", "person name", "nume",
                  "nume complet", "nume si prenume", "numele si prenumele", "contact", "person"),
    "first_name": ("first name", "firstname", "given name", "forename", "prenume", "first"),
    "middle_name": ("middle name", "additional name", "second name", "al doilea prenume"),
    "last_name": ("last name", "lastname", "surname", "family name", "nume de familie",
                  "nume familie", "last"),
    "salutation": ("salutation", "title prefix", "name prefix", "prefix", "honorific", "formula"
                   " de adresare", "titulatura", "courtesy title"),
    "suffix": ("suffix", "name suffix", "sufix"),
    "job_title": ("job title", "title", "position", "role title", "organization 1 title",
                  "organization title", "function", "jobtitle", "functie", "functia", "post",
                  "pozitie"),
    "department": ("department", "organization 1 department", "departament", "organization"
                   " department"),
    "birthday": ("birthday", "birth date", "date of birth", "birthdate", "dob", "zi de nastere",
                 "data nasterii", "data de nastere"),
}  # fmt: skip

FIELD_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "account": {
        **_REACH,
        **_RECORD,
        "name": ("account", "company", "customer", "client", "organization", "organisation",
                 "account name", "company name", "business name", "legal name", "denumire",
                 "denumire firma", "nume firma", "firma", "companie", "societate"),
        "industry": ("sector", "industry", "branch", "vertical", "line of business", "industrie",
                     "domeniu", "domeniu de activitate", "ramura"),
        "founded_year": ("year established", "founded", "founded year", "year founded",
                         "established", "year of foundation", "founding year", "an infiintare",
                         "anul infiintarii"),
        "annual_revenue": ("revenue", "annual revenue", "turnover", "yearly revenue", "sales",
                           "cifra de afaceri", "venit anual", "venituri"),
        "employees": ("employees", "number of employees", "no of employees", "employee count",
                      "headcount", "staff", "company size", "angajati", "numar angajati",
                      "numar de angajati", "nr angajati"),
        "parent": ("subsidiary of", "parent", "parent account", "parent company", "parent account"
                   " name", "holding", "parent organization", "group", "firma mama",
                   "companie mama"),
        "tax_id": ("vat", "vat id", "vat number", "tax id", "tax number", "vat reg no", "cui",
                   "cif", "cod fiscal", "cod unic", "fiscal code", "vat no", "tin"),
        "trade_register": ("registration number", "company number", "trade register", "reg com",
                           "nr reg com", "registrul comertului", "numar de inregistrare"),
        "relationship_type": ("type", "account type", "relationship", "category", "company type",
                              "tip", "tip client"),
        "account_number": ("account number", "customer number", "client number", "account no",
                           "customer no", "customer code", "cod client", "numar client"),
        "domain": ("domain", "email domain", "mail domain", "company domain",
                   "company domain name", "domeniu web"),
        "payment_terms": ("payment terms", "terms", "termen de plata"),
        "credit_limit": ("credit limit", "limita de credit"),
        "rating": ("rating", "account rating", "evaluare"),
        "state": ("status", "state", "account status", "stare"),
    },
    "contact": {
        **_REACH,
        **_RECORD,
        **_PERSON,
        "account": ("account", "company", "customer", "organization", "organisation", "account"
                    " name", "company name", "organization 1 name", "organization name",
                    "associated company", "employer", "firma", "companie", "societate", "client"),
        "role": ("role", "decision role", "buying role", "rol"),
        "source": ("source", "lead source", "contact source", "original source", "sursa"),
        "manager": ("manager", "reports to", "manager name", "sef"),
        "assistant": ("assistant", "assistant name", "assistants name", "asistent"),
        "anniversary": ("anniversary", "aniversare"),
        "state": ("status", "contact status", "stare"),
    },
    "lead": {
        **_REACH,
        **_RECORD,
        **_PERSON,
        "subject": ("subject", "topic", "lead name", "lead title", "interest", "subiect"),
        "company": ("company", "account", "organization", "organisation", "company name",
                    "account name", "firma", "companie", "societate", "organization 1 name"),
        "industry": ("industry", "sector", "branch", "industrie", "domeniu"),
        "employees": ("employees", "number of employees", "no of employees", "company size",
                      "angajati", "numar angajati"),
        "source": ("source", "lead source", "original source", "channel", "sursa"),
        "rating": ("rating", "lead rating", "temperature", "evaluare"),
        "score": ("score", "lead score", "hubspot score", "scor"),
        "est_amount": ("amount", "value", "lead value", "estimated value", "estimated amount",
                       "expected revenue", "estimated revenue", "valoare", "valoare estimata"),
        "est_close_on": ("close date", "expected close", "expected close date", "estimated close",
                         "estimated close date", "data estimata", "data inchiderii"),
        "status_reason": ("status", "lead status", "stage", "stare", "stadiu"),
        "budget": ("budget", "buget"),
        "need": ("need", "needs", "requirements", "nevoie", "cerinte"),
        "purchase_timeframe": ("timeframe", "purchase timeframe", "timeline", "termen"),
        "decision_maker": ("decision maker", "is decision maker", "decident"),
    },
    "opportunity": {
        **{k: v for k, v in _RECORD.items() if k in {"description", "owner", "currency"}},
        "external_id": (*_RECORD["external_id"], "opportunity id", "deal id"),
        "name": ("deal", "opportunity", "deal name", "opportunity name", "title", "subject",
                 "topic", "deal title", "nume", "denumire", "titlu", "oportunitate"),
        "account": ("account", "company", "customer", "client", "organization", "organisation",
                    "account name", "company name", "associated company", "organization name",
                    "firma", "companie", "societate"),
        "contact": ("contact", "contact name", "primary contact", "contact person", "person",
                    "associated contact", "persoana de contact"),
        "stage": ("deal stage", "stage", "sales stage", "opportunity stage", "stage name",
                  "pipeline stage", "phase", "status", "etapa", "stadiu", "faza"),
        "probability": ("probability", "win probability", "likelihood", "deal probability",
                        "probability %", "probabilitate", "sanse"),
        "amount": ("amount", "value", "deal value", "deal amount", "estimated revenue",
                   "expected revenue", "expected amount", "est revenue", "opportunity amount",
                   "revenue", "potential value", "valoare", "valoare estimata", "suma"),
        "actual_revenue": ("close value", "closed amount", "closed value", "actual revenue",
                           "won value", "won amount", "actual value", "closed won amount",
                           "valoare castigata", "valoare finala", "venit realizat"),
        "close_on": ("expected close date", "expected close", "estimated close date", "est close",
                     "est close date", "expected closing", "forecast close date", "closing date",
                     "data estimata a inchiderii", "inchidere estimata", "termen"),
        "opened_on": ("engage date", "open date", "opened", "created", "created date",
                      "create date", "creation date", "deal created", "start date", "created on",
                      "data deschiderii", "data crearii", "creat la", "deschisa la"),
        "closed_on": ("close date", "closed date", "closed", "actual close date", "won date",
                      "won time", "date closed", "closed on", "deal closed", "data inchiderii",
                      "inchisa la"),
        "close_reason": ("close reason", "lost reason", "closed lost reason", "closed won reason",
                         "loss reason", "reason", "motiv", "motivul pierderii"),
        "product": ("product", "product name", "item", "article", "produs", "articol"),
        "type": ("type", "deal type", "opportunity type", "tip"),
        "source": ("source", "lead source", "original source", "sursa"),
        "next_step": ("next step", "next action", "next activity", "pasul urmator"),
        "forecast_category": ("forecast category", "forecast", "categorie prognoza"),
        "competitors": ("competitor", "competitors", "main competitor", "concurent", "concurenti"),
        "price_list": ("price list", "price book", "lista de preturi"),
    },
    "product": {
        **{k: v for k, v in _RECORD.items() if k in {"external_id", "description", "currency"}},
        "name": ("product", "product name", "item", "item name", "article", "title", "produs",
                 "denumire", "denumire produs", "nume", "articol"),
        "code": ("code", "sku", "product code", "item code", "part number", "item number",
                 "article number", "reference", "cod", "cod produs", "cod articol"),
        "family": ("series", "family", "product family", "category", "product category", "group",
                   "product group", "line", "product line", "brand", "familie", "categorie",
                   "grupa", "serie"),
        "list_price": ("sales price", "price", "list price", "unit price", "selling price",
                       "standard price", "price per unit", "rate", "pret", "pret unitar",
                       "pret lista", "pret de vanzare"),
        "standard_cost": ("cost", "unit cost", "standard cost", "cost price", "purchase price",
                          "cost of goods sold", "pret de achizitie", "cost unitar"),
        "unit": ("unit", "uom", "unit of measure", "units", "um", "u m", "unitate",
                 "unitate de masura"),
        "tax_code": ("tax", "tax code", "vat", "vat code", "tax class", "cota tva", "tva"),
        "type": ("type", "product type", "tip"),
        "state": ("status", "state", "product status", "stare"),
    },
    "user": {
        "external_id": _RECORD["external_id"],
        "name": ("sales agent", "agent", "sales rep", "salesperson", "rep", "user", "employee",
                 "full name", "display name", "user name", "nume", "nume complet", "angajat",
                 "utilizator", "agent vanzari"),
        "email": (*_REACH["email"], "user email"),
        "phone": (*_REACH["phone"], "mobile", "mobile phone", "telefon mobil"),
        "login": ("login", "username", "login name", "user login", "account login", "cont"),
        "manager": ("manager", "supervisor", "boss", "reports to", "team lead", "sef",
                    "superior"),
        "team": ("regional office", "team", "office", "region", "department", "branch",
                 "business unit", "group", "echipa", "birou", "departament", "regiune"),
        "job_title": ("job title", "title", "position", "functie"),
        "role": ("role", "profile", "user role", "rol", "profil"),
        "language": ("language", "locale", "limba"),
        "time_zone": ("time zone", "timezone", "fus orar"),
        "state": ("status", "active", "stare"),
    },
    "activity": {
        **{k: v for k, v in _RECORD.items() if k in {"external_id", "description", "owner"}},
        "subject": ("subject", "title", "name", "task", "summary", "activity", "subiect",
                    "titlu", "denumire", "activitate"),
        "kind": ("kind", "type", "activity type", "task type", "category", "tip", "fel"),
        "due_at": ("due", "due date", "deadline", "due at", "due on", "termen", "scadenta",
                   "data scadenta"),
        "start_at": ("start", "start date", "start time", "starts at", "begin", "from", "inceput",
                     "data inceperii"),
        "end_at": ("end", "end date", "end time", "ends at", "to", "sfarsit", "data sfarsitului"),
        "priority": ("priority", "importance", "prioritate"),
        "location": ("location", "place", "where", "loc", "locatie"),
        "account": ("account", "company", "customer", "organization", "account name", "related"
                    " account", "firma", "companie"),
        "contact": ("contact", "contact name", "person", "persoana de contact"),
        "opportunity": ("opportunity", "deal", "opportunity name", "deal name", "oportunitate"),
        "status_reason": ("status", "state", "task status", "stare"),
        "duration_minutes": ("duration", "minutes", "duration minutes", "durata"),
    },
}  # fmt: skip

EXTRA_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "mobile": ("phones", "mobile"),
    "mobile phone": ("phones", "mobile"),
    "cell": ("phones", "mobile"),
    "cell phone": ("phones", "mobile"),
    "mobile phone number": ("phones", "mobile"),
    "mobile number": ("phones", "mobile"),
    "phone mobile": ("phones", "mobile"),
    "telefon mobil": ("phones", "mobile"),
    "mobil": ("phones", "mobile"),
    "home phone": ("phones", "home"),
    "phone home": ("phones", "home"),
    "telefon acasa": ("phones", "home"),
    "business phone 2": ("phones", "work"),
    "phone 2": ("phones", "work"),
    "phone 2 value": ("phones", "work"),
    "other phone": ("phones", "other"),
    "assistants phone": ("phones", "other"),
    "fax": ("phones", "fax"),
    "business fax": ("phones", "fax"),
    "fax number": ("phones", "fax"),
    "email 2": ("emails", "other"),
    "email 2 address": ("emails", "other"),
    "e mail 2 address": ("emails", "other"),
    "e mail 2 value": ("emails", "other"),
    "email 3": ("emails", "other"),
    "e mail 3 address": ("emails", "other"),
    "secondary email": ("emails", "other"),
    "other email": ("emails", "other"),
    "home email": ("emails", "home"),
    "personal email": ("emails", "home"),
    "email home": ("emails", "home"),
}
"""Further numbers and addresses of a record: child rows and their type."""

STAGE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "won": ("won", "closed won", "win", "closedwon", "castigat", "castigata", "inchis castigat"),
    "lost": ("lost", "closed lost", "loss", "closedlost", "pierdut", "pierduta", "abandoned",
             "inchis pierdut", "cancelled", "canceled"),
}  # fmt: skip
"""Names under which other programs keep deals that ended well or badly."""

CREATED_BY_LOOKUP: Final = frozenset(
    {("user", "manager"), ("user", "team"), ("opportunity", "stage")}
)
"""Links whose record is made when a file names one that does not exist; all others stay empty."""

CREATED_BY_CARDS: Final = frozenset({("contact", "account")})
"""The same for contact cards, which name the company and nothing else of it."""
