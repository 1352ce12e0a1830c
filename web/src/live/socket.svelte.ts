/**
 * The live push: one WebSocket, asked for what the map shows, applied to the picture.
 *
 * Always true: an answer to an older view is thrown away; a lost connection is said so and tried again
 * with growing pauses; the picture changes only here.
 */
import type { Alert, Status } from "../api/client";
import { words } from "../i18n.svelte";
import { decodeFrame, FrameError } from "./frame";
import { Picture } from "./picture";

export interface ViewAsked {
  bbox: [number, number, number, number];
  zoom: number;
  classes: number[] | null;
  simulated: boolean;
  mode: "live" | "then" | "now";
  time_us?: number;
  limit: number;
}

/** The node closes with this when the session has ended. */
const SESSION_ENDED = 4401;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

class Live {
  connected = $state(false);
  /** When the connection was lost, milliseconds; null while it stands or before the first one. */
  lostAtMs = $state<number | null>(null);
  /** Changes with every frame applied to the picture. */
  version = $state(0);
  complaint = $state("");
  bytes = 0;
  readonly picture = new Picture();

  onAlert: (alert: Alert) => void = () => {};
  onStatus: (status: Status) => void = () => {};
  onNotice: () => void = () => {};
  onWorking: () => void = () => {};

  private socket: WebSocket | null = null;
  private view = 0;
  private asked: ViewAsked | null = null;
  private pauseMs = FIRST_PAUSE_MS;

  start(): void {
    const url = new URL("/api/v1/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("lang", words.language);
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.connected = true;
      this.lostAtMs = null;
      this.pauseMs = FIRST_PAUSE_MS;
      if (this.asked) this.send();
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.receive(event.data);
    socket.onclose = (event: CloseEvent) => {
      if (this.socket !== socket) return;
      if (event.code === SESSION_ENDED) return location.reload();
      this.connected = false;
      this.lostAtMs ??= Date.now();
      setTimeout(() => this.socket === socket && this.start(), this.pauseMs);
      this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
    };
    this.socket = socket;
  }

  /** In another language: the server's words come with the connection. */
  restart(): void {
    const old = this.socket;
    this.start();
    old?.close();
  }

  ask(view: ViewAsked): void {
    if (this.asked && JSON.stringify(this.asked) === JSON.stringify(view)) return;
    this.asked = view;
    this.send();
  }

  private send(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.view += 1;
    this.socket.send(JSON.stringify({ type: "view", view: this.view, ...this.asked }));
  }

  private receive(data: ArrayBuffer | string): void {
    if (typeof data !== "string") {
      this.bytes += data.byteLength;
      try {
        const frame = decodeFrame(data);
        if (frame.view !== this.view) return;
        this.picture.apply(frame);
        this.version += 1;
        this.complaint = "";
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        this.complaint = error.message;
      }
      return;
    }
    const event = JSON.parse(data) as
      | { type: "alert"; alert: Alert }
      | { type: "status"; status: Status }
      | { type: "notice" }
      | { type: "working" }
      | { type: "error"; message: string };
    if (event.type === "alert") this.onAlert(event.alert);
    else if (event.type === "status") this.onStatus(event.status);
    else if (event.type === "notice") this.onNotice();
    else if (event.type === "working") this.onWorking();
    else this.complaint = event.message;
  }
}

export const live = new Live();
