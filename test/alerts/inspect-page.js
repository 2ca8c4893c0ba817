/* global document, getComputedStyle, innerWidth, NodeFilter */
/* Runs in the page: what is wrong with the mail that it shows. */
globalThis.faultsOfMail = () => {
  const faults = [];
  const overflow = document.documentElement.scrollWidth - innerWidth;
  if (overflow > 0) faults.push(`${overflow} px wider than the page`);
  for (const image of document.images) {
    if (!image.complete || image.naturalWidth === 0) faults.push(`no picture: ${image.alt}`);
    if (!image.alt) faults.push('a picture without words');
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.data.trim();
    const element = node.parentElement;
    if (text === '' || element.closest('.preheader') || element.tagName === 'STYLE') continue;
    for (const fault of [contrastFault(element), placeFault(node, element)])
      if (fault !== null) faults.push(`${fault}: ${text.slice(0, 60)}`);
  }
  return faults;

  function contrastFault(element) {
    const [front, ground] = [channels(getComputedStyle(element).color), groundOf(element)];
    const [light, dim] = [luminance(front), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dim + 0.05);
    return contrast >= 4.5 ? null : `contrast ${contrast.toFixed(2)}`;
  }

  function groundOf(element) {
    for (let one = element; one !== null; one = one.parentElement) {
      const [red, green, blue, alpha = 1] = channels(getComputedStyle(one).backgroundColor);
      if (alpha === 1) return [red, green, blue];
      if (alpha !== 0) throw new Error('a ground that is seen through');
    }
    return [255, 255, 255];
  }

  function channels(colour) {
    return colour.match(/[\d.]+/g).map(Number);
  }

  /** WCAG 2.2, relative luminance. */
  function luminance(rgb) {
    const [red, green, blue] = rgb
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  /** Every line of the text is on the page, and nothing lies over it. */
  function placeFault(node, element) {
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()];
    if (lines.length === 0) return 'not shown';
    for (const { left, right, top, bottom } of lines) {
      if (left < 0 || right > innerWidth) return 'beyond the edge';
      const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      if (there !== element && !element.contains(there)) return 'under something else';
    }
    return null;
  }
};
