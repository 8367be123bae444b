"""The lists of planted faults, which tests/mutants explains."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Fault:
    place: str  # "tests/planted/base.txt:7": where it stands in its list
    file: str
    tests: tuple
    cases: str
    old: str
    new: str

    def brief(self):
        short = lambda text: " ".join(text.split()) or "nothing"
        return f"{short(self.old)}  ->  {short(self.new)}"


class Unsuitable(Exception):
    """What a list says does not suit the tree."""


def parse(name, text):
    """The faults of one list."""
    faults, file, tests, cases, old, new = [], None, (), "", None, None

    def finish(line):
        nonlocal old, new
        if old is not None:
            if not file or not tests or new is None:
                raise Unsuitable(f"{name}:{line}: a fault has `in`, `tests`, `-` and `+`")
            faults.append(Fault(f"{name}:{line}", file, tests, cases, "\n".join(old),
                                "\n".join(new)))
        old = new = None

    begin = 0
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.partition(" ")
        if word == "-" and new is None:
            begin = begin if old else number
            old = (old or []) + [rest]
            continue
        if word == "+" and old:
            new = (new or []) + [rest]
            continue
        finish(begin)
        if word == "-":
            begin, old = number, [rest]
        elif word == "in":
            file, tests, cases = rest, (), ""
        elif word == "tests":
            tests, cases = tuple(rest.split()), ""
        elif word == "cases":
            cases = rest
        elif line and not line.startswith("#"):
            raise Unsuitable(f"{name}:{number}: a line begins with in, tests, cases, -, + or #")
    finish(begin)
    return faults


def faults_in(root):
    return [fault for path in sorted((root / "tests/planted").glob("*.txt"))
            for fault in parse(str(path.relative_to(root)), path.read_text())]


def planted(root, fault):
    """The text of the file with the fault, and the number of its line."""
    if not (root / fault.file).is_file():
        raise Unsuitable(f"there is no {fault.file}")
    text = (root / fault.file).read_text()
    count = text.count(fault.old)
    if count != 1:
        raise Unsuitable(f"{fault.file} holds it {count} times, not once")
    if fault.old == fault.new:
        raise Unsuitable("it changes nothing")
    return text.replace(fault.old, fault.new), text[:text.index(fault.old)].count("\n") + 1


def complaints(root, faults):
    """Why the lists do not suit the tree."""
    found = []
    for fault in faults:
        try:
            planted(root, fault)
        except Unsuitable as why:
            found.append(f"{fault.place}: {why}: {fault.brief()}")
        found += [f"{fault.place}: there is no {name}" for name in fault.tests
                  if not (root / name).is_file()]
    return found
