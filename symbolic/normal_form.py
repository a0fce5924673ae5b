"""The normal form of an expression: a fraction of polynomials in independent generators.

Every node of a graph becomes an :class:`~symbolic.tower.Element`. Variables, pi and unrecognised
floats are generators; so is each new exponential, logarithm, root or special function, once its
argument's normal form shows that it is not expressible by those there are already
(:mod:`symbolic.elementary`, :mod:`symbolic.angles`, :mod:`symbolic.special`). Two expressions whose
difference is zero here are equal wherever both are defined, provided that the *facts* of the cell
hold: the signs that make ``sqrt(x**2)`` one of ``x`` and ``-x``, the value that a ``floor`` has.

What an expression needs to be defined is a fact too: under ``log(x)`` or ``sqrt(x)``, x is not
negative. Such facts are taken from all the expressions that are compared together.

May import: :mod:`symbolic.graph`, :mod:`symbolic.tower`, :mod:`symbolic.elementary`,
:mod:`symbolic.angles`, :mod:`symbolic.special`, :mod:`symbolic.eigen`,
:mod:`symbolic.constant_values`,
:mod:`symbolic.balls`, :mod:`symbolic.limits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, NoReturn

from flint import fmpz_mpoly

from symbolic import angles, eigen, elementary, faddeeva, special
from symbolic.balls import precision
from symbolic.constant_values import polynomial_value
from symbolic.graph import Node, topological
from symbolic.limits import check_time
from symbolic.tower import Element, Full, TooBig, Tower, Undefined, poly_key

__all__ = ["Fact", "NormalForms", "implied_facts"]

_MAX_CAPACITY = 400


class _Refine(Exception):
    """A basis angle must be divided further: start again."""


# A node, one of "<", "<=", "==", "!=", ">=", ">", and the bound that it stands in this relation to.
Fact = tuple[Node, str, int]


def implied_facts(roots: Iterable[Node]) -> list[Fact]:
    """What must hold for the expressions to be defined: no negative radicands, and so on."""
    facts: list[Fact] = []
    for node in topological(roots):
        op, args = node.op, node.args
        if op == "log":
            facts.append((args[0], ">", 0))
        elif op == "arccosh":
            facts.append((args[0], ">=", 1))
        elif op in ("arcsin", "arccos"):
            facts += [(args[0], "<=", 1), (args[0], ">=", -1)]
        elif op in ("arctanh", "erfinv"):
            facts += [(args[0], "<", 1), (args[0], ">", -1)]
        elif op in ("bessely", "besselk"):
            facts.append((args[1], ">", 0))
        elif op in ("gammainc", "gammaincc"):
            facts += [(args[0], ">", 0), (args[1], ">=", 0)]
        elif op == "pow":
            base, exponent = args
            if exponent.op != "const":
                facts.append((base, ">=", 0))
            elif exponent.args[0].denominator != 1:
                facts.append((base, ">=" if exponent.args[0] > 0 else ">", 0))
    return facts


class NormalForms:
    """The normal forms of a graph's nodes under given facts, each computed once.

    Parameters
    ----------
    facts : sequence of (Node, str, int)
        Inequalities and equations that hold on the cell.
    """

    def __init__(self, facts: Sequence[Fact] = (), capacity: int = 24):
        self.facts = tuple(facts)
        self.angle_parts: dict[int, int] = {}  # how finely each basis angle is to be divided
        self._history: list[Node] = []
        self._restart(capacity)

    def _setup(self, capacity: int) -> None:
        self.tower = Tower(capacity)
        self._memo: dict[Node, Any] = {}  # elements, or the exceptions met
        self.signs: dict[Any, int] = {}  # polynomial's key -> +1 or -1, in the weak sense
        self.known: list[tuple[fmpz_mpoly, int]] = []  # the same as a list
        self.strict: set[Any] = set()  # keys of polynomials known not to vanish
        self.exponentials = elementary.Basis()
        self.angles = elementary.Basis()
        self._values: dict[Any, Element] = {}  # of generators that facts fix
        self._sign_facts: list[tuple[list[Any], int, bool]] = []
        self._learn()

    # Facts

    def _learn(self) -> None:
        """Signs of irreducible factors, from the signs of nodes."""
        equations, pending = [], []
        for node, relation, bound in self.facts:
            if relation == "==" and bound == 0:
                equations.append(node)
            elif relation != "==":
                pending.append((node, relation, bound))
        for node in equations:
            self._learn_value(node)
        # Innermost first: what is known of x helps to read a fact about sqrt(x**2) - 1.
        pending.sort(key=lambda fact: fact[0].index)
        for node, relation, bound in pending:
            try:
                element = self._fresh(node)
                if bound:
                    element = self.tower.sub(element, self.tower.rational(bound))
            except (TooBig, Undefined):
                continue
            if relation == "!=":
                self.assume_nonzero(element)
            else:
                sign = 1 if relation in (">", ">=") else -1
                self.assume(element, sign, strict=relation in (">", "<"))

    def assume(self, element: Element, sign: int, strict: bool = False) -> None:
        """Take ``sign * element >= 0`` (``> 0`` where strict) as a fact."""
        try:
            content, factors = self.tower.factor(element.num)
            _, below = self.tower.factor(element.den)
        except TooBig:
            return
        if content == 0:
            return
        if content < 0:
            sign = -sign
        odd, unknown = [], []
        for f, e in [*factors, *below]:
            if strict:
                self.strict.add(poly_key(f))
            if e % 2:
                odd.append(f)
        for f in odd:
            known = self.sign(f)
            if known is None:
                unknown.append(f)
            else:
                sign *= known
        if len(unknown) == 1:
            self._know(unknown[0], sign)
            self._settle()
        elif unknown:
            self._sign_facts.append((unknown, sign, strict))
            self._settle()

    def assume_nonzero(self, element: Element) -> None:
        with suppress(TooBig):
            for f, _ in self.tower.factor(element.num)[1]:
                self.strict.add(poly_key(f))

    def _know(self, f: fmpz_mpoly, sign: int) -> None:
        if poly_key(f) not in self.signs:
            self.known.append((f, sign))
            self.signs[poly_key(f)] = sign

    def _settle(self) -> None:
        """Use products of known sign once all their factors but one have one."""
        again = True
        while again:
            again = False
            for fact in list(self._sign_facts):
                unknown, sign, _ = fact
                left = []
                for f in unknown:
                    known = self.signs.get(poly_key(f))
                    if known is None:
                        left.append(f)
                    else:
                        sign *= known
                if len(left) == 2:
                    # f g >= 0 and f + g of one sign: both have it, as 1 - x and 1 + x.
                    f, g = left
                    both = self._sign_by_terms(f + g if sign == 1 else f - g)
                    if both is not None:
                        self._know(f, both)
                        left, sign = [g], sign * both
                if len(left) < 2:
                    self._sign_facts.remove(fact)
                    if left:
                        self._know(left[0], sign)
                        again = True

    def _learn_value(self, node: Node) -> None:
        """From ``node == 0``: a generator that occurs linearly gets its value."""
        try:
            element = self._fresh(node)
        except (TooBig, Undefined):
            return
        p, tower = element.num, self.tower
        degrees = p.degrees()
        # The latest generator first: floor(x) = 3, rather than x = ... in terms of floor(x).
        for i in sorted(tower.used(p)):
            generator = tower.generators[i]
            if degrees[i] != 1 or generator.kind not in ("var", "locally"):
                continue
            terms = tower.terms(p)
            head = [(m, c) for m, c in terms if m[i]]
            if len(head) != 1 or sum(head[0][0]) != 1:
                continue
            rest = tower.from_terms((m, c) for m, c in terms if not m[i])
            if any(self._enters(i, j) for j in tower.used(rest)):
                continue
            value = tower.make(-rest, tower.ctx.constant(head[0][1]))
            # Everything so far may contain the generator: start again with its value known.
            key = generator.data if generator.kind == "var" else None
            if generator.kind == "var":
                self._values[("var", key)] = value
                self._memo.clear()
            else:
                self._values[("gen", i)] = value
                self._memo.clear()
            return

    def _enters(self, index: int, other: int) -> bool:
        """Whether generator ``other`` may depend on generator ``index`` (to be safe, most do)."""
        generator = self.tower.generators[other]
        return not (generator.kind == "var" or generator.constant)

    def sign(self, f: fmpz_mpoly) -> int | None:
        """The sign of a polynomial where it is known: 1 for ``>= 0``, -1 for ``<= 0``."""
        if f.is_constant():
            return 1 if f.leading_coefficient() > 0 else -1
        known = self.signs.get(poly_key(f))
        if known is None:
            known = self._sign_by_terms(f)
        if known is None and self.tower.is_constant(f):
            known = self._sign_of_constant(f)
        if known is None:
            known = self._sign_by_bounds(f)
        if known is None:
            known = self._sign_by_comparison(f)
        return known

    def _sign_of_constant(self, f: fmpz_mpoly) -> int | None:
        with precision(128):
            value = polynomial_value(self.tower, f)
            if value is None or not value.is_finite() or value.contains(0):
                return None
            return 1 if value > 0 else -1

    def _sign_by_bounds(self, f: fmpz_mpoly) -> int | None:
        """Of 2 - cos(x)**2: a constant that outweighs all the rest, made of sines and cosines."""
        generators = self.tower.generators
        if any(generators[i].kind not in ("sin", "cos") for i in self.tower.used(f)):
            return None
        constant = rest = 0
        for monomial, c in zip(f.monoms(), f.coeffs(), strict=True):
            if any(monomial):
                rest += abs(int(c))
            else:
                constant = int(c)
        if abs(constant) < rest:
            return None
        return 1 if constant > 0 else -1

    def _sign_by_comparison(self, f: fmpz_mpoly) -> int | None:
        """From x - 1 >= 0 that x + 1 >= 0: what is left of f without a known one has its sign."""
        for p, sign in self.known:
            for candidate in (1, -1):
                rest = f - p if candidate == sign else f + p
                if rest.is_zero() or self._sign_by_terms(rest) == candidate:
                    return candidate
        return None

    def _sign_by_terms(self, f: fmpz_mpoly) -> int | None:
        signs = set()
        for monomial, coefficient in zip(f.monoms(), f.coeffs(), strict=True):
            sign = 1 if coefficient > 0 else -1
            for i, e in enumerate(monomial):
                if e % 2:
                    known = self._sign_of_generator(i)
                    if known is None:
                        return None
                    sign *= known
            signs.add(sign)
            if len(signs) > 1:
                return None
        return signs.pop() if signs else None

    def _sign_of_generator(self, index: int) -> int | None:
        if self.tower.generators[index].positive:
            return 1
        return self.signs.get(poly_key(self.tower.poly(self.tower.generators[index])))

    def vanishes_nowhere(self, f: fmpz_mpoly) -> bool:
        """Whether the facts say so, or ``f`` is a positive constant generator or an exponential."""
        if f.is_constant() or poly_key(f) in self.strict:
            return True
        return (
            all(
                self.tower.generators[i].kind in ("exp", "pi", "float", "euler")
                for i in self.tower.used(f)
            )
            and len(f) == 1
        )

    def sign_of(self, element: Element) -> int | None:
        """The sign of an element, through its factors; weak as :meth:`sign`."""
        if element.num.is_zero():
            return None
        direct, below = self.sign(element.num), self.sign(element.den)
        if direct is None or below is None:
            try:
                content, factors = self.tower.factor(element.num)
                _, more = self.tower.factor(element.den)
            except TooBig:
                return None
            sign = 1 if content > 0 else -1
            for f, e in [*factors, *more]:
                if e % 2:
                    known = self.sign(f)
                    if known is None:
                        return None
                    sign *= known
            return sign
        return direct * below

    # Nodes

    def of(self, *nodes: Node) -> list[Element]:
        """The normal forms of nodes; the tower grows as needed.

        Raises
        ------
        TooBig, Undefined
            Where it outgrows the budget, or divides by zero.
        """
        if not self._whole:
            self._restart(self.tower.capacity)
        while True:
            try:
                found = [self._fresh(node) for node in nodes]
            except Full:
                self._restart(2 * self.tower.capacity)
            except _Refine:
                self._restart(self.tower.capacity)
            else:
                self._history.extend(nodes)
                return found

    def refine_angle(self, number: int, parts: int) -> NoReturn:
        """Start again with a basis angle divided further: cos(x/2) came after cos(x)."""
        self.angle_parts[number] = self.angle_parts.get(number, 1) * parts
        if self.angle_parts[number] > 64:
            raise TooBig
        raise _Refine

    def _restart(self, capacity: int) -> None:
        """Build the tower anew, all nodes in the same order, so that basis angles keep numbers."""
        self._whole = False  # and stays so, should a time limit strike
        while True:
            if capacity > _MAX_CAPACITY:
                raise TooBig
            try:
                self._setup(capacity)
                for node in self._history:
                    with suppress(TooBig, Undefined):
                        self._fresh(node)
                self._whole = True
                return
            except Full:
                capacity *= 2
            except _Refine:
                continue

    def _fresh(self, root: Node) -> Element:
        memo = self._memo
        found = memo.get(root)
        if found is None:
            for node in topological([root], memo):
                check_time()
                try:
                    for child in node.children:
                        known = memo[child]
                        if isinstance(known, Exception):
                            raise known
                    memo[node] = self._build(node)
                except (TooBig, Undefined) as failure:
                    memo[node] = failure
            found = memo[root]
        if isinstance(found, Exception):
            raise type(found)()
        return found

    def _build(self, node: Node) -> Element:
        op, tower, memo = node.op, self.tower, self._memo
        if op == "add":
            return tower.add(memo[node.args[0]], memo[node.args[1]])
        if op == "mul":
            return tower.mul(memo[node.args[0]], memo[node.args[1]])
        if op == "div":
            return tower.div(memo[node.args[0]], memo[node.args[1]])
        if op == "const":
            return tower.rational(node.args[0])
        if op == "var":
            return self.variable(node.args[0])
        if op == "pi":
            return tower.element(self.pi())
        if op == "euler":
            return self.leaf("euler", None, constant=True, positive=True)
        if op == "float":
            return self.number(node.args[0])
        if op == "pow":
            found = self._root_of_square(node)
            if found is not None:
                return found
        rule = RULES.get(op)
        args = [memo[c] for c in node.args]
        return rule(self, *args) if rule else self.opaque(op, args)

    def _root_of_square(self, node: Node) -> Element | None:
        """The root of a square that the code writes as one, ``a`` or ``-a`` where that is known.

        Reduced by the relations of roots inside, the square is often none to see any more.
        """
        base, exponent = node.args
        if exponent.op != "const" or exponent.args[0].denominator % 2:
            return None
        product = base.op == "mul" and base.args[0] is base.args[1]
        power = base.op == "pow" and base.args[1].op == "const" and base.args[1].args[0] == 2
        sign = self.sign_of(self._memo[base.args[0]]) if product or power else None
        if sign is None:
            return None
        inner = self._memo[base.args[0]]
        size = inner if sign > 0 else self.tower.neg(inner)
        return elementary.power(self, size, self.tower.rational(2 * exponent.args[0]))

    def variable(self, name: str) -> Element:
        value = self._values.get(("var", name))
        return value if value is not None else self.leaf("var", name)

    def number(self, value: float) -> Element:
        """A float without closed form: a constant of its own, exact."""
        if value != value or value in (float("inf"), float("-inf")):
            raise Undefined
        if value < 0:
            return self.tower.neg(self.number(-value))
        return self.leaf("float", value, constant=True, positive=True)

    def pi(self) -> Any:
        self.leaf("pi", None, constant=True, positive=True)
        return self.tower.find(("pi", None))

    def leaf(self, kind: str, data: Any, **flags: Any) -> Element:
        generator = self.tower.find((kind, data))
        if generator is None:
            generator = self.tower.new((kind, data), kind, data, **flags)
        return self.tower.element(generator)

    def opaque(self, op: str, args: Sequence[Element], positive: bool = False) -> Element:
        """A function nothing more is known of: a generator for these arguments."""
        key = (op, *(a.key for a in args))
        generator = self.tower.find(key)
        if generator is None:
            constant = all(
                self.tower.is_constant(a.num) and self.tower.is_constant(a.den) for a in args
            )
            kind = "locally" if op in ("floor", "ceil", "rint", "trunc", "sign") else op
            generator = self.tower.new(
                key, kind, (op, tuple(args)), constant=constant, positive=positive
            )
        fixed = self._values.get(("gen", generator.index))
        return fixed if fixed is not None else self.tower.element(generator)

    # Shorthands for the rules

    def rational(self, value: Fraction | int) -> Element:
        return self.tower.rational(value)


RULES: dict[str, Callable[..., Element]] = {
    **elementary.RULES,
    **angles.RULES,
    **special.RULES,
    **eigen.RULES,
    **faddeeva.RULES,
}
