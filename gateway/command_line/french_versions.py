"""The French of versions of routes and rates (rule_versions.py): English sentence, French sentence, the same gaps.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

VERSIONS: Final = {
    "A CSV with the columns prefix and price.": "Un CSV avec les colonnes préfixe et prix.",
    "A version like 12, or draft:3.": "Une version comme 12, ou draft:3.",
    "A version like 12, or draft:3; else what is in force.": (
        "Une version comme 12, ou draft:3 ; sinon ce qui est en vigueur."
    ),
    "Credits that a part by it costs us.": "Crédits que nous coûte un segment par elle.",
    "Make no draft.": "Ne pas faire de brouillon.",
    "Number of the draft.": "Numéro du brouillon.",
    "Put a draft in force, whole and at once, on every node.": (
        "Mettre un brouillon en vigueur, d'un coup, sur tous les nœuds."
    ),
    "Put an old version in force again, as a new one.": "Remettre en vigueur une ancienne version, comme une nouvelle.",
    "Read a rate card into a draft: every fault by its line.": (
        "Lire une grille tarifaire dans un brouillon : chaque erreur par sa ligne."
    ),
    "Show the versions and the open drafts, newest first.": (
        "Montrer les versions et les brouillons ouverts, du plus récent au plus ancien."
    ),
    "Show what a draft would have done with messages of the last hour.": (
        "Montrer ce qu'un brouillon aurait fait des messages de la dernière heure."
    ),
    "Show what the second of two versions or drafts says differently.": (
        "Montrer ce que la seconde de deux versions, ou de deux brouillons, dit autrement."
    ),
    "The doubts were seen.": "Les doutes ont été vus.",
    "The version to be like.": "La version à retrouver.",
    "Why; it stays with the version.": "Pourquoi ; cela reste avec la version.",
    "Write rates as a rate card, to stdout.": "Écrire les tarifs en grille tarifaire, sur la sortie standard.",
    "merge: over what is in force; replace: in its place.": (
        "merge : par-dessus ce qui est en vigueur ; replace : à sa place."
    ),
    "of the last hour, the first {each} messages of each minute and connector:": (
        "de la dernière heure, les {each} premiers messages de chaque minute et connecteur :"
    ),
    "version {version} is in force: {added} added, {removed} removed, {changed} changed": (
        "la version {version} est en vigueur : {added} ajoutés, {removed} retirés, {changed} modifiés"
    ),
    "{added} added, {removed} removed, {changed} changed": "{added} ajoutés, {removed} retirés, {changed} modifiés",
    "{rows} rates read into draft {draft}; to put it in force: passerelle rate activate {draft}": (
        "{rows} tarifs lus dans le brouillon {draft} ; pour le mettre en vigueur : passerelle rate activate {draft}"
    ),
    "another version came into force since draft {name} was begun": (
        "une autre version est entrée en vigueur depuis le début du brouillon {name}"
    ),
    "correct the draft": "corriger le brouillon",
    "if it is meant, add --despite-doubts": "si c'est voulu, ajouter --despite-doubts",
    "lines with faults: {count}; no draft was made": "lignes fautives : {count} ; aucun brouillon n'a été fait",
    "look at: passerelle rate export": "voir : passerelle rate export",
    "look at: passerelle rate versions": "voir : passerelle rate versions",
    "look at: passerelle route versions": "voir : passerelle route versions",
    "mode {name} is unknown": "mode {name} inconnu",
    "somebody else changed draft {name} meanwhile": "quelqu'un d'autre a modifié le brouillon {name} entre-temps",
    "there is no open draft {name}": "il n'y a pas de brouillon ouvert {name}",
    "there is no version or draft {name}": "il n'y a ni version ni brouillon {name}",
    "there is no version {name}": "il n'y a pas de version {name}",
    "write a version like 12, or draft:3": "écrire une version comme 12, ou draft:3",
    "based_on": "à_partir_de",
    "complete": "complet",
    "cost_after": "coût_après",
    "cost_before": "coût_avant",
    "draft": "brouillon",
    "equal_to": "égale_à",
    "made_at": "faite_à",
    "made_by": "faite_par",
    "newly_taken": "nouvellement_pris",
    "note": "note",
    "price_after": "prix_après",
    "price_before": "prix_avant",
    "refused": "refusés",
    "rows": "lignes",
    "same": "inchangés",
    "version": "version",
}
