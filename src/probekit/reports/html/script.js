(() => {
  "use strict";
  const form = document.getElementById("filter");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const lines = Array.from(document.querySelectorAll(".lines > li"), (element) => ({ element, text: "", isShown: true }));
  const groups = Array.from(document.querySelectorAll(".section, .phase")).reverse();
  let timer = 0;

  const matches = (line, words, styles) => {
    const kinds = line.element.classList;
    if (styles === "scope" ? kinds.contains("out") : styles && !styles.split(" ").some((style) => kinds.contains(style))) {
      return false;
    }
    if (words.length && !line.text) {
      line.text = line.element.textContent.toLowerCase();
    }
    return words.every((word) => line.text.includes(word));
  };

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const styles = form.elements.show.value;
    let count = 0;
    for (const line of lines) {
      const isShown = matches(line, words, styles);
      count += isShown ? 1 : 0;
      if (isShown !== line.isShown) {
        line.isShown = isShown;
        line.element.hidden = !isShown;
      }
    }
    for (const group of groups) {
      group.hidden = !group.querySelector(".lines > li:not([hidden])");
    }
    nothing.hidden = count > 0;
    shown.textContent = `${count} of ${lines.length} lines`;
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 120);
  });
  apply();
})();
