/**
 * Who sits here, how things are shown, and how the node is.
 *
 * Always true: a choice of theme, language or units is applied at once and then kept by the node; the
 * browser keeps a copy, so that the page opens as it was left.
 */
import { ApiFailure, api, door, type Session, type Settings, type SettingsChange, type Status } from "../api/client";
import { type Language, setLanguage } from "../i18n.svelte";
import type { Theme } from "../map/palette";

type Choices = Omit<SettingsChange, "expected_revision">;
const KEPT = "shiprider.choices";

const DEFAULTS: Required<Choices> = {
  language: navigator.language.startsWith("es") ? "es" : "en",
  position_format: "dm",
  speed_unit: "kn",
  distance_unit: "nm",
  theme: "dark",
  symbols: "simple",
};

function kept(): Required<Choices> {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Choices>) };
  } catch {
    return { ...DEFAULTS };
  }
}

class Desk {
  session = $state.raw<Session | null>(null);
  status = $state.raw<Status | null>(null);
  choices = $state<Required<Choices>>(kept());
  failure = $state.raw<ApiFailure | null>(null);
  /** Nobody has signed in at this browser. */
  stranger = $state(false);
  /** Counts up when the theme's colours on the page have changed. */
  repaint = $state(0);
  private revision = 0;

  constructor() {
    this.apply();
    // What was shown to whoever sat here goes with him: the page begins anew.
    door.onStranger = () => {
      if (this.session) location.reload();
    };
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.choices.theme;
    setLanguage(this.choices.language as Language);
    this.repaint += 1;
  }

  async load(): Promise<void> {
    try {
      this.session = await api.session();
      this.failure = null;
      if (this.may("see_status")) {
        this.status = await api.status();
        this.take(await api.settings());
      }
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.stranger = error.code === "no_session";
      this.failure = this.stranger ? null : error;
    }
  }

  /** Whether my roles hold a permission (GET /me says why). */
  may(permission: string): boolean {
    return this.session?.permissions.includes(permission) ?? false;
  }

  /** Settings never changed by anybody (revision 0) do not override what this browser was left with. */
  private take(settings: Settings): void {
    this.revision = settings.revision;
    if (settings.revision === 0) return;
    const { revision: _, ...choices } = settings;
    this.choices = choices;
    this.keep();
  }

  private keep(): void {
    localStorage.setItem(KEPT, JSON.stringify(this.choices));
    this.apply();
  }

  async choose(change: Partial<Choices>): Promise<void> {
    this.choices = { ...this.choices, ...change };
    this.keep();
    if (!this.session?.officer || !this.may("choose_looks")) return;
    try {
      this.revision = (await api.changeSettings({ ...this.choices, expected_revision: this.revision })).revision;
    } catch {
      // Somebody else's choice came first: his revision is taken, our screen stays as it is.
      this.revision = await api.settings().then((s) => s.revision, () => this.revision);
    }
  }

  get theme(): Theme {
    return this.choices.theme as Theme;
  }

  /** A feed is live: the picture moves on by itself. Else its end is the end of what was recorded. */
  get receiving(): boolean {
    return Boolean(this.status?.feeds.some((feed) => feed.state === "live"));
  }

  async sayWho(name: string): Promise<void> {
    this.session = await api.sayWho(name);
  }

  /** The time of the picture: of the newest data, not of this browser's clock. */
  get pictureUs(): number {
    return this.status?.picture_us ?? this.status?.now_us ?? 0;
  }
}

export const desk = new Desk();
