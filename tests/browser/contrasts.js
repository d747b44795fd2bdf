// For each visible text of the page its contrast with what lies below it, and the text.
(() => {
  const light = (rgb) => {
    const part = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const numbers = (text) => text.match(/[\d.]+/g).map(Number);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.offsetParent || element.closest(".unseen, script")) continue;
    let below = element;
    while (below && (numbers(getComputedStyle(below).backgroundColor)[3] ?? 1) === 0) below = below.parentElement;
    const back = below ? numbers(getComputedStyle(below).backgroundColor) : [255, 255, 255];
    const fore = numbers(getComputedStyle(element).color);
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
})()
