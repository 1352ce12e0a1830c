/** A text as a QR code (ISO/IEC 18004), as one SVG path: a square of `size` modules a side, its quiet zone included. */
import encodeQR from "qr";

/** Modules of light around it that a reader needs (ISO/IEC 18004, 6.3.8). */
const QUIET = 4;

export function qrPath(text: string): { size: number; path: string } {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: QUIET });
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return { size: rows.length, path };
}
