/**
 * Partners' nodes and how the exchange with each stands, for the status line and the desk.
 *
 * Always true: what is shown was told by the node at most so long ago; a partner that was not heard of for two minutes
 * is not said to be in contact.
 */
import { ApiFailure, api, type Schemas } from "../api/client";
import { t, words } from "../i18n.svelte";
import { decimal } from "../measure/units";
import { desk } from "./session.svelte";

export type Partner = Schemas["PartnerOut"];
export type PartnerLink = "up" | "silent" | "down";

const EVERY_MS = 10_000;
const SILENT_US = 120e6;
/** A clock that is off by less matters to nobody. */
const CLOCK_S = 2;

class PartnersState {
  list = $state.raw<readonly Partner[]>([]);
  purposes = $state.raw<readonly string[]>([]);
  nowUs = $state(0);
  loaded = $state(false);
  failure = $state.raw<ApiFailure | null>(null);

  get confirmed(): readonly Partner[] {
    return this.list.filter((each) => each.state === "confirmed");
  }

  async load(): Promise<void> {
    if (!desk.may("see_partners")) return;
    try {
      const found = await api.partners();
      [this.list, this.purposes, this.nowUs, this.loaded, this.failure] = [found.partners, found.purposes, found.now_us, true, null];
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.failure = error;
    }
  }

  /** Ask again and again; what is returned ends it. */
  follow(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), EVERY_MS);
    return () => clearInterval(timer);
  }

  state({ link }: Partner): PartnerLink {
    if (!link || !link.up) return "down";
    return link.heard_us !== null && this.nowUs - link.heard_us < SILENT_US ? "up" : "silent";
  }

  /** In one line, what the status line has no room for. */
  said(partner: Partner): string {
    return [partner.name, partner.link?.trouble ?? "", this.waiting(partner)].filter(Boolean).join(" · ");
  }

  waiting({ waiting }: Partner): string {
    if (!waiting) return "";
    return waiting >= 1000 ? t("partners.waitingMany") : t("partners.waitingSome", { n: waiting });
  }

  clock({ link }: Partner): string {
    if (!link || link.heard_us === null) return "–";
    if (Math.abs(link.clock_s) < CLOCK_S) return t("partners.clockRight");
    const s = decimal(Math.abs(link.clock_s), 0, words.language);
    return link.clock_s > 0 ? t("partners.clockAhead", { s }) : t("partners.clockBehind", { s });
  }
}

export const partners = new PartnersState();
