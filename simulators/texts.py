"""What simulated people write, and the numbers they have: built-in French and English texts, seeded numbers.

Chosen to meet every case of the alphabets (3GPP TS 23.038): basic, extension, accents outside of GSM, Arabic, emoji.
What must not enter: encoding, PDUs, and when a text is sent.
"""

from __future__ import annotations

from simulators.plain_values import Chance

NUMBER_DIGITS = {  # digits of a whole international number by country calling code (national numbering plans)
    "1": 11,
    "33": 11,
    "44": 12,
    "221": 12,
    "225": 13,  # ten national digits since 2021-01-31
    "226": 11,
    "227": 11,
    "228": 11,
    "229": 13,  # ten national digits, 01 first, since 2024-11-30
    "234": 13,
}
OTHER_NUMBER_DIGITS = 12  # chosen: plausible anywhere, E.164 allows 15

CUSTOMER_TEXTS = (
    "Votre code de confirmation est 482913. Il expire dans 5 minutes.",
    "Your verification code is 204815. Do not share it.",
    "Bonjour, votre colis arrive demain entre 9h et 12h.",
    "Ça y est : votre commande nº 5512 est prête, à bientôt à l'agence de Cotonou.",  # ç and ê are not in GSM 03.38
    "Your balance is 12.500 FCFA {ref [A|B] ~ ^ €20}.",  # extension characters: two septets each
    "Rappel : rendez-vous jeudi à 15h30 chez le Dr Adjovi. Répondez OUI pour confirmer.",
    "مرحبا، رصيدك هو ٥٠٠ فرنك",
    "Merci 😀 pour votre visite !",  # a surrogate pair
    "Chers parents, la réunion de rentrée aura lieu samedi 14 à 10 h dans la grande salle. Merci d'apporter le carnet "
    "de santé de l'enfant, deux photos et le reçu du paiement. La direction reste à votre disposition.",
    "Dear customer, the network of your area will be maintained on Sunday night from 01:00 to 04:00. Calls and data "
    "may be interrupted for some minutes. Emergency numbers stay reachable. We thank you for your patience, and "
    "remind you that your loyalty points can be used until the end of the month in each of our shops.",
    "À l'occasion de la fête nationale, nos bureaux fermeront dès midi. Nous vous souhaitons, à vous et à vos proches, "
    "une très belle journée : l'équipe vous retrouvera dès mercredi à 8 h.",
)
SUBSCRIBER_TEXTS = (
    "OUI",
    "STOP",
    "Hello, when does the shop open?",
    "Bonjour, je n'ai pas reçu mon colis.",
    "AIDE",
    "Être livré à l'hôtel, c'est possible ?",
    "Solde",
)


def complete_number(prefix: str, chance: Chance) -> str:
    """A number of its country's length that begins with the prefix (digits, a leading + is kept off).

    Each `#` of the prefix becomes a digit; a prefix with `#` is not lengthened.
    """
    digits = prefix.lstrip("+")
    if "#" in digits:
        return "".join(str(int(chance() * 10)) if sign == "#" else sign for sign in digits)
    length = next(
        (NUMBER_DIGITS[digits[:size]] for size in (1, 2, 3) if digits[:size] in NUMBER_DIGITS), OTHER_NUMBER_DIGITS
    )
    missing = max(0, length - len(digits))
    return digits + (str(int(chance() * 10**missing)).zfill(missing) if missing else "")
