/* What a person cannot read or reach: text that its box cuts off, controls that something else covers. */
() => {
  const found = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const name = (element) => `${element.tagName.toLowerCase()}.${element.className} ${(element.getAttribute("aria-label") || element.textContent).trim().slice(0, 40)}`;
  // An ellipsis says that there is more; a clamped reason is whole once it is opened.
  const told = (style) => style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
  const top = document.querySelector("dialog[open]") ?? document.body;

  const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element) || element.closest("[aria-hidden=true], .hidden, .skip, option, svg, script")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.right > innerWidth + 1 || box.left < -1) found.push(`off the page: ${name(element)}`);
      for (let around = element; around && around !== document.documentElement; around = around.parentElement) {
        const style = getComputedStyle(around);
        if (told(style)) break;
        const edge = around.getBoundingClientRect();
        // Sideways nothing may be hidden: no bar of the page scrolls there.
        if (style.overflowX !== "visible" && (box.right > edge.right + 1 || box.left < edge.left - 1)) found.push(`cut off: ${name(element)}`);
        if (["hidden", "clip"].includes(style.overflowY) && (box.bottom > edge.bottom + 2 || box.top < edge.top - 2) && !scrolls(element, around)) found.push(`cut off below: ${name(element)}`);
      }
    }
  }

  /** Something between the two scrolls down: what is below its edge is reached by that. */
  function scrolls(element, around) {
    for (let at = element; at && at !== around; at = at.parentElement) if (["auto", "scroll"].includes(getComputedStyle(at).overflowY)) return true;
    return false;
  }

  for (const control of top.querySelectorAll("button, input, select, textarea, summary")) {
    const box = control.getBoundingClientRect();
    if (!shown(control) || !box.width) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let away = false;
    for (let at = control.parentElement; at; at = at.parentElement) {
      const edge = at.getBoundingClientRect();
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowY) && (y < edge.top || y > edge.bottom)) away = true;
    }
    if (away || control.closest(".hidden, .skip")) continue;
    const there = document.elementFromPoint(x, y);
    if (!there || !(control.contains(there) || there.contains(control) || control.closest("label")?.contains(there)))
      // A bar of decisions that stays while the rest scrolls below it covers nothing that cannot be scrolled up.
      if (!there?.closest(".actions")) found.push(`covered: ${name(control)} by ${there ? name(there) : "nothing: it is off the page"}`);
  }
  return [...new Set(found)];
}
