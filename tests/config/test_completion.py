# SPDX-License-Identifier: GPL-2.0
"""Completion for bash offers what kmqttctl says that it takes, and nothing else."""

import functools
import json
import pathlib
import re
import subprocess

import pytest

from conftest import CTL

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "tools/completion/kmqttctl.bash"

# A line is the words behind kmqttctl, the last of them, behind =, as far as it was typed.
SCRIPT = r"""
compopt() { :; }
. "$1" || exit
while read -r -a words; do
	COMP_WORDS=(kmqttctl "${words[@]/#=/}")
	COMP_CWORD=${#words[@]} COMPREPLY=()
	_kmqttctl
	echo "${COMPREPLY[*]}"
done
"""

# What is to be typed as it is; all else stands for something.
WORD = re.compile("(--)?[a-z0-9][a-z0-9-]*")

# The only file where completion looks for some, and what stands for one in help.
FILE = "file.here"
FILES = {"FILE", "PATH"}


def said(*args):
    return subprocess.run([CTL, *args], check=True, capture_output=True, text=True,
                          timeout=60).stdout


NOUNS = re.findall(r"^  ([a-z]+) ", said("--help").split("Options:")[0], re.M)


# ---------------------------------------------------------------- completion

@pytest.fixture(name="complete", scope="session")
def fixture_complete(tmp_path_factory):
    """A function: what is offered behind words, the last of which is begun only."""
    here = tmp_path_factory.mktemp("here")
    (here / FILE).touch()
    with subprocess.Popen(["bash", "-c", SCRIPT, "bash", COMPLETION], cwd=here, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bash:
        @functools.cache
        def complete(*words):
            *whole, begun = words
            print(*whole, f"={begun}", file=bash.stdin, flush=True)
            answer = bash.stdout.readline()
            assert answer, "bash has ended"
            return set(answer.split())
        yield complete
        bash.stdin.close()


def offered(complete, *words):
    """All that is offered behind these, whatever of it and whatever else comes first."""
    found, lines = set(), [words]
    while lines:
        line = lines.pop()
        for word in complete(*line, "") - found:
            found.add(word)
            lines += [(*line, word), (*line, word, "value")]
    return found


# ---------------------------------------------------------------------- help

def parse(tokens):
    """The alternatives up to a closing bracket: lists of words and of brackets with theirs."""
    found = [[]]
    while tokens:
        token = tokens.pop(0)
        if token in "]}":
            break
        if token == "|":
            found.append([])
        elif token in "[{":
            found[-1].append((token, parse(tokens)))
        else:
            found[-1].append(token)
    return found


def read(text):
    return parse(re.findall(r"[][{}|]|[^][{}|\s]+", text))


def flat(alternatives):
    """All words, wherever they stand."""
    for items in alternatives:
        for item in items:
            if isinstance(item, str):
                yield item
            else:
                yield from flat(item[1])


def first(items):
    """The words that may come first."""
    found = set()
    for item in items:
        if isinstance(item, str):
            return found | ({item} if WORD.fullmatch(item) else set())
        bracket, alternatives = item
        found |= set().union(*map(first, alternatives))
        if bracket == "{":
            break
    return found


class Help:
    """What `kmqttctl NOUN --help` says.

    `forms` are the lines of usage without the noun, `settings` the alternatives of each
    setting's value, `only` the verbs of settings that not all have, `stands_for` the words that
    a word in capital letters may be.
    """

    def __init__(self, noun):
        text = said(noun, "--help")
        usage = text.split("\n\n")[0]
        self.forms = [read(form)[0] for form in usage.split(f"kmqttctl {noun}")[1:]]
        rows = re.search(r"^.*Settings:\n((?:  .*\n)+)", text, re.M)
        self.settings, self.only = {}, {}
        for name, value, rest in re.findall(r"^  ([a-z]\S*) (\S+)(.*\n(?:   .*\n)*)",
                                            rows[1] if rows else "", re.M):
            self.settings[name] = value.split("|")
            if only := re.search(r"only with\s+([a-z]+)\b", rest):
                self.only[name] = only[1]
        self.stands_for = {"SETTING": {*self.settings, *self.values()}}
        for name, rows in re.findall(r"^([A-Z]+) is one of\n((?:  .*\n)+)", text, re.M):
            forms = re.findall(r"^  (.*?)(?:  |$)", rows, re.M)
            self.stands_for[name] = {word for form in forms for word in flat(read(form))}
        for name, names in re.findall(r"\b([A-Z]+) is\s+((?:[a-z0-9-]+(?:,|\s+or)\s+)+[a-z0-9-]+)",
                                      text):
            self.stands_for[name] = set(re.split(r"(?:,|\s+or)\s+", names))
        for name, verb in re.findall(r"\b([A-Z]+) is as for ([a-z]+)", text):
            self.stands_for[name] = set().union(*map(first, self.of_verb(verb)))

    def values(self):
        """Words that are values of settings."""
        return {value for values in self.settings.values() if len(values) > 1 for value in values}

    def verbs(self):
        """The first words of lines that have to be there, or that stand for `get`."""
        found = set()
        for form in self.forms:
            may = first(form[:1])
            if isinstance(form[0], str) or "get" in may:
                found |= may
        return found

    def of_verb(self, verb):
        """What may follow it: what is in its brackets, or else in its line."""
        for form in self.forms:
            if form[0] == verb:
                yield form[1:]
            elif verb in first(form):
                for items in form[0][1]:
                    if items[0] == verb:
                        yield items[1:] + form[1:]

    def settings_of(self, verb):
        return {name: values for name, values in self.settings.items()
                if self.only.get(name, verb) == verb}

    def words(self, forms, verb=None):
        """All that is to be typed as it is, with what words in capital letters stand for."""
        found, todo = set(), list(flat(forms))
        while todo:
            word = todo.pop()
            if word in found or verb and self.only.get(word, verb) != verb:
                continue
            found.add(word)
            todo += self.stands_for.get(word, ())
            todo += FILES.intersection(self.settings.get(word, ()))
        words = {word for word in found if WORD.fullmatch(word)}
        return words | {FILE} if FILES & found else words


# --------------------------------------------------------------------- tests

def test_nouns(complete):
    assert complete("") == set(NOUNS)
    assert len(NOUNS) > 10
    assert complete("-j", "s") == {noun for noun in NOUNS if noun.startswith("s")}


def test_options(complete):
    options = said("--help").split("Options:")[1]
    assert complete("-") == set(re.findall(r"^  -.*?(--[a-z]+)", options, re.M))


@pytest.mark.parametrize("noun", NOUNS)
def test_first(complete, noun):
    """The verbs of a noun, or what else may follow it at once."""
    may = set().union(*map(first, Help(noun).forms))
    assert complete(noun, "") - {FILE} == may | {"--help"}


@pytest.mark.parametrize("noun", NOUNS)
def test_words(complete, noun):
    """All that may follow each verb anywhere, or a noun that has other words, too."""
    told = Help(noun)
    verbs = told.verbs()
    if verbs != set().union(*map(first, told.forms)):
        assert offered(complete, noun) - {"--help"} == told.words(told.forms)
    for verb in verbs:
        assert offered(complete, noun, verb) == told.words(told.of_verb(verb), verb), verb


@pytest.mark.parametrize("words", [
    ("broker", "set"),
    ("listener", "add", "127.0.0.1:1883"),
    ("listener", "set", "127.0.0.1:1883"),
])
def test_settings(complete, words):
    """Each setting has the values that it may have, and the tool knows it."""
    settings = Help(words[0]).settings_of(words[1])
    assert complete(*words, "") == set(settings)
    for name, values in settings.items():
        files = {FILE} if values[0] in FILES else set()
        assert complete(*words, name, "") == (set(values) if len(values) > 1 else files), name
        got = subprocess.run([CTL, *words, name], check=False, capture_output=True, text=True,
                             timeout=60)
        assert (got.returncode, got.stdout) == (2, ""), name
        assert re.search(f": {name} needs a (value|file)\n", got.stderr), got.stderr


def test_settings_of_files(complete):
    """What a file may set by the names of `broker set` is what completion has of these."""
    options = json.loads(said("-j", "load", "--options"))
    settings = {option["setting"] for option in options if option["name"].startswith("kmqtt_")
                and "setting" in option}
    assert complete("broker", "set", "") == settings


def test_repeated(complete):
    """Settings follow each other."""
    assert complete("broker", "set", "max-qos", "1", "bh") == {"bh-path"}
    assert complete("listener", "add", "unix", "/x", "max-qos", "1", "anon") == {"anonymous"}
