"""Names of the sample company's world. Every person, company and domain is invented."""

from __future__ import annotations

from typing import Final, NamedTuple


class Firm(NamedTuple):
    """One invented company: where it sits decides language, phone and currency."""

    name: str
    industry: str
    city: str
    place: str


class Place(NamedTuple):
    """What a country brings along."""

    country: str
    language: str
    people: str
    phone: str
    currency: str
    street: str
    postal: str


PLACES: Final = {
    "RO": Place("România", "ro", "ro", "+40 31 000 {n:04d}", "RON", "Str. {street} {n}", "{n}010"),
    "DE": Place("Deutschland", "en", "de", "+49 30 23125 {n:03d}", "EUR", "{street} {n}", "{n}04"),
    "AT": Place("Österreich", "en", "de", "+43 1 000 {n:04d}", "EUR", "{street} {n}", "{n}0"),
    "CH": Place("Schweiz", "en", "de", "+41 44 000 {n:04d}", "EUR", "{street} {n}", "{n}0"),
    "FR": Place("France", "en", "fr", "+33 1 99 00 {n:04d}", "EUR", "{n} {street}", "{n}00"),
    "IT": Place("Italia", "en", "it", "+39 02 0000 {n:04d}", "EUR", "{street} {n}", "{n}21"),
    "GB": Place("United Kingdom", "en", "en", "+44 20 7946 0{n:03d}", "EUR", "{n} {street}",
                "EX{n} 1MP"),
    "PL": Place("Polska", "en", "pl", "+48 22 000 {n:04d}", "EUR", "{street} {n}", "00-{n}"),
    "HU": Place("Magyarország", "en", "hu", "+36 1 000 {n:04d}", "EUR", "{street} {n}", "{n}0"),
    "SE": Place("Sverige", "en", "se", "+46 8 000 {n:04d}", "EUR", "{street} {n}", "{n} 12"),
    "PT": Place("Portugal", "en", "pt", "+351 21 000 {n:04d}", "EUR", "{street} {n}", "{n}0-001"),
}  # fmt: skip
"""Countries by code; numbers come from ranges kept for fiction where a country has one."""

STREETS: Final = {
    "ro": ("Teilor", "Cetății", "Mărășești", "Fântânii", "Izvorului", "Științei", "Gării",
           "Meșterilor", "Viilor", "Morii"),
    "de": ("Lindenweg", "Mühlgasse", "Am Anger", "Werkstraße"),
    "fr": ("rue des Tanneurs", "quai du Moulin", "avenue des Ateliers"),
    "it": ("Via del Lavoro", "Via dei Mulini", "Corso Stazione"),
    "en": ("Mill Lane", "Foundry Road", "Harbour Street"),
    "pl": ("ul. Lipowa", "ul. Młyńska"),
    "hu": ("Malom utca", "Gyár utca"),
    "se": ("Kvarnvägen", "Björkgatan"),
    "pt": ("Rua do Moinho", "Rua da Estação"),
}  # fmt: skip

PEOPLE: Final = {
    "ro": (
        ("Andreea", "Bogdan", "Călin", "Daniela", "Ștefan", "Florina", "Gabriel", "Ilinca",
         "Lăcrămioara", "Mihnea", "Năstase", "Octavian", "Raluca", "Sorina", "Țucu", "Vlăduț"),
        ("Albișoară", "Brădeanu", "Câmpulungeanu", "Dumbrăvanu", "Făgețel", "Ghindaru",
         "Izvoreanu", "Lăstunaru", "Mălinescu", "Nucșoreanu", "Păltinișan", "Răchitan",
         "Stejăreanu", "Șoimaru", "Țărmureanu", "Zăvoianu"),
    ),
    "de": (
        ("Anke", "Bernd", "Friederike", "Jörg", "Käthe", "Lothar", "Ulrike", "Wendelin"),
        ("Ährenfeld", "Birkenhain", "Grünspan", "Kupferschlag", "Müllbach", "Weißdorn"),
    ),
    "fr": (
        ("Claire", "Éloïse", "Gaëtan", "Hélène", "Loïc", "Sylvain"),
        ("Boisclair", "Dufrêne", "Lachâtaigne", "Merlemont", "Pommerole"),
    ),
    "it": (
        ("Beatrice", "Cesare", "Donatella", "Ettore", "Nicolò", "Ortensia"),
        ("Castagneti", "Fontanalba", "Mulinverde", "Pietralunga", "Rovereti"),
    ),
    "en": (
        ("Alastair", "Bronwen", "Cedric", "Imogen", "Rowan", "Winifred"),
        ("Ashdown-Lea", "Brackenridge", "Fernsby", "Oakenfull", "Thistlewood"),
    ),
    "pl": (("Bogusława", "Łukasz", "Żaneta"), ("Brzozowiec", "Jarzębiński", "Lipnicka-Wójt")),
    "hu": (("Ágota", "Bálint", "Zsófia"), ("Gesztenyés", "Nyírfási", "Szilvágyi")),
    "se": (("Åsa", "Göran", "Linnéa"), ("Björkäng", "Granlöv", "Rönnstrand")),
    "pt": (("Inês", "João", "Conceição"), ("Amendoeira", "Carvalhal", "Salgueirão")),
}  # fmt: skip

JOBS: Final = (
    ("Managing director", "decision_maker"),
    ("Head of purchasing", "decision_maker"),
    ("Production manager", "influencer"),
    ("Plant engineer", "influencer"),
    ("Maintenance lead", "influencer"),
    ("Buyer", "employee"),
    ("Finance manager", "decision_maker"),
    ("Logistics coordinator", "employee"),
)

FIRMS: Final = (
    Firm("Dumbrava Mobilă SRL", "Furniture", "Reghin", "RO"),
    Firm("Moara Știubei SRL", "Food", "Slobozia", "RO"),
    Firm("Conserve Lunca Verde SA", "Food", "Tecuci", "RO"),
    Firm("Brutăria Spicul Înalt SRL", "Food", "Iași", "RO"),
    Firm("Lactate Poiana Țiței SRL", "Food", "Câmpina", "RO"),
    Firm("Apă Plată Izvorul Șoimului SA", "Beverages", "Borsec", "RO"),
    Firm("Crama Dealul Fântânii SRL", "Beverages", "Jidvei", "RO"),
    Firm("Berăria Podul Înalt SRL", "Beverages", "Vaslui", "RO"),
    Firm("Ceramica Văratec SRL", "Building materials", "Târgu Neamț", "RO"),
    Firm("Cărămida Roșie Someș SA", "Building materials", "Dej", "RO"),
    Firm("Var și Piatră Măgura SRL", "Building materials", "Brașov", "RO"),
    Firm("Adezivi Transilvani SRL", "Chemicals", "Turda", "RO"),
    Firm("Vopsele Curcubeu Plus SRL", "Chemicals", "Ploiești", "RO"),
    Firm("Farma Salvia SRL", "Pharmaceuticals", "Cluj-Napoca", "RO"),
    Firm("Cosmetice Mușețel SRL", "Cosmetics", "Sibiu", "RO"),
    Firm("Textil Ie și Fotă SRL", "Textiles", "Botoșani", "RO"),
    Firm("Tricotaje Andrușa SRL", "Textiles", "Suceava", "RO"),
    Firm("Piese Auto Roata Zimțată SRL", "Automotive", "Pitești", "RO"),
    Firm("Cablaje Mureșul SRL", "Automotive", "Târgu Mureș", "RO"),
    Firm("Turnătoria Cuptorul Mare SA", "Metalworking", "Hunedoara", "RO"),
    Firm("Strunguri Crișana SRL", "Metalworking", "Oradea", "RO"),
    Firm("Logistică Pasul Vulturului SRL", "Logistics", "Arad", "RO"),
    Firm("Depozite Câmpia Turzii Nord SRL", "Logistics", "Câmpia Turzii", "RO"),
    Firm("Curierat Rândunica SRL", "Logistics", "București", "RO"),
    Firm("Mezeluri Hanul Vechi SRL", "Food", "Mediaș", "RO"),
    Firm("Ulei Floarea Câmpului SA", "Food", "Urziceni", "RO"),
    Firm("Ambalaje Pădurea Albă SRL", "Packaging", "Bacău", "RO"),
    Firm("Carton Bistrița Nouă SRL", "Packaging", "Bistrița", "RO"),
    Firm("Tipografia Litera Țintă SRL", "Printing", "Timișoara", "RO"),
    Firm("Sere Roșia de Sud SRL", "Agriculture", "Craiova", "RO"),
    Firm("Semințe Ogorul Bun SRL", "Agriculture", "Călărași", "RO"),
    Firm("Apicola Teiul Înflorit SRL", "Agriculture", "Tulcea", "RO"),
    Firm("Electronice Clujana Verde SRL", "Electronics", "Cluj-Napoca", "RO"),
    Firm("Senzori Șapte Dealuri SRL", "Electronics", "Iași", "RO"),
    Firm("Jucării Căsuța Pădurii SRL", "Consumer goods", "Făgăraș", "RO"),
    Firm("Hârtie Petrești Vale SA", "Paper", "Sebeș", "RO"),
    Firm("Sticlă Valea Ursului SRL", "Glass", "Turda", "RO"),
    Firm("Mobilă Tihna Casei SRL", "Furniture", "Satu Mare", "RO"),
    Firm("Cafea Boabă Neagră SRL", "Beverages", "Constanța", "RO"),
    Firm("Detergenți Spuma Mării SRL", "Chemicals", "Năvodari", "RO"),
    Firm("Nordwind Logistik GmbH", "Logistics", "Bremen", "DE"),
    Firm("Süßwaren Mandelberg GmbH", "Food", "Lübeck", "DE"),
    Firm("Grünspan Armaturen AG", "Metalworking", "Görlitz", "DE"),
    Firm("Brauhaus Eichenkrug KG", "Beverages", "Würzburg", "DE"),
    Firm("Alpenquell Getränke GmbH", "Beverages", "Linz", "AT"),
    Firm("Holzwerk Zirbenstein GmbH", "Furniture", "Graz", "AT"),
    Firm("Helvetia Präzision AG", "Electronics", "Winterthur", "CH"),
    Firm("Atelier Lumière SARL", "Glass", "Lyon", "FR"),
    Firm("Biscuiterie du Vieux Port SAS", "Food", "La Rochelle", "FR"),
    Firm("Officine Rossi S.p.A.", "Automotive", "Modena", "IT"),
    Firm("Pastificio Sant'Ulivo S.r.l.", "Food", "Parma", "IT"),
    Firm("Ceramiche Fontanalba S.r.l.", "Building materials", "Faenza", "IT"),
    Firm("Thistlewood Preserves Ltd", "Food", "Exeter", "GB"),
    Firm("Harbour & Fern Ltd", "Cosmetics", "Bristol", "GB"),
    Firm("Baltic Timber Sp. z o.o.", "Furniture", "Gdynia", "PL"),
    Firm("Młyn Złoty Kłos Sp. z o.o.", "Food", "Toruń", "PL"),
    Firm("Tiszavirág Csomagoló Kft.", "Packaging", "Szeged", "HU"),
    Firm("Göransson & Björkäng AB", "Paper", "Örebro", "SE"),
    Firm("Porto Vinhos Lda", "Beverages", "Vila Nova de Gaia", "PT"),
    Firm("Conservas Maré Alta Lda", "Food", "Setúbal", "PT"),
)

PROSPECTS: Final = (
    ("Panificația Colț de Rai SRL", "Food", "Galați"),
    ("Fabrica de Lumânări Licurici SRL", "Consumer goods", "Alba Iulia"),
    ("Sucuri Livada Mică SRL", "Beverages", "Zalău"),
    ("Șuruburi și Piulițe Olt SRL", "Metalworking", "Slatina"),
    ("Cartofi Țara Bârsei SRL", "Agriculture", "Brașov"),
    ("Pielărie Bourul SRL", "Textiles", "Roman"),
    ("Gheață și Frig Delta SRL", "Food", "Tulcea"),
    ("Plante Sălcioara SRL", "Pharmaceuticals", "Rădăuți"),
    ("Bonbonnerie Perle Grise SARL", "Food", "Nantes"),
    ("Kerzenmanufaktur Wachsblume GmbH", "Consumer goods", "Bamberg"),
)

USERS: Final = (
    ("Ioana Dobrițoiu", "ioana", "Account manager", "România"),
    ("Radu Țepeluș", "radu", "Account manager", "România"),
    ("Bianca Șerbănel", "bianca", "Account manager", "Export"),
    ("Matei Câmpelu", "matei", "Account manager", "Export"),
    ("Elena Vântuleț", "elena", "Sales office", "România"),
)
"""Colleagues of the person who tries the program: name, login, job, team."""

OFFICE: Final = "elena"
"""Login of the colleague who keyed in the sample records."""
