// Filter and sort; without it the page shows everything in the order of the source.
"use strict";
const list = document.getElementById("results");
const cards = [...list.children];
const boxes = [...document.querySelectorAll("input[name=verdict]")];
const search = document.getElementById("search");
const status = document.getElementById("shown");
const sort = document.getElementById("sort");

function filter() {
  const shown = new Set(boxes.filter((b) => b.checked).map((b) => b.value));
  const words = search.value.toLowerCase();
  let count = 0;
  for (const card of cards) {
    const fits = shown.has(card.dataset.verdict) && card.dataset.name.toLowerCase().includes(words);
    card.classList.toggle("hidden", !fits);
    count += fits;
  }
  status.textContent = count === cards.length ? "" : `${count} of ${cards.length} shown`;
}

function order() {
  const key = sort.value;
  const value = (card) => Number(card.dataset[key]);
  const sign = key === "place" ? 1 : -1;
  list.append(...[...cards].sort((a, b) => sign * (value(a) - value(b)) || a.dataset.place - b.dataset.place));
}

boxes.forEach((box) => box.addEventListener("change", filter));
search.addEventListener("input", filter);
sort.addEventListener("change", order);
document.querySelector(".controls").hidden = false;

// On paper everything is open.
let closed = [];
addEventListener("beforeprint", () => {
  closed = cards.filter((card) => !card.open);
  closed.forEach((card) => (card.open = true));
});
addEventListener("afterprint", () => closed.forEach((card) => (card.open = false)));
