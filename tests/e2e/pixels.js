/* Decoded pixels of a PNG (base64): the share of the picture that each colour of the theme takes, 0 to 1. */
async ([png, names, tolerance]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const style = getComputedStyle(document.documentElement);
  const wanted = names.map((name) => {
    const value = Number.parseInt(style.getPropertyValue(`--${name}`).trim().slice(1), 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  });
  const counts = names.map(() => 0);
  let notRed = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i + 1], data[i + 2]) > data[i] + 8) notRed += 1;
    wanted.forEach(([r, g, b], k) => {
      if (Math.abs(data[i] - r) <= tolerance && Math.abs(data[i + 1] - g) <= tolerance && Math.abs(data[i + 2] - b) <= tolerance) counts[k] += 1;
    });
  }
  const all = data.length / 4;
  return { ...Object.fromEntries(names.map((name, k) => [name, counts[k] / all])), notRed: notRed / all };
}
