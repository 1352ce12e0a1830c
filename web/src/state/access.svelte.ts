/**
 * My access: what I may do and why, where I am signed in, what I was told, what I took.
 *
 * Always true: after anything that changes who sits here the page begins anew, so that nothing of the one
 * before is left in it.
 */
import { ApiFailure, api, type MyAccess, type Notice, type SessionLine } from "../api/client";

const PURPOSE = "shiprider.purpose";

class Access {
  mine = $state.raw<MyAccess | null>(null);
  sessions = $state.raw<SessionLine[]>([]);
  notices = $state.raw<Notice[]>([]);
  failure = $state.raw<ApiFailure | null>(null);
  purposeSaid = $state(false);

  readonly unseen = $derived(this.notices.filter((notice) => !notice.seen));

  async load(): Promise<void> {
    try {
      const [mine, sessions] = await Promise.all([api.myAccess(), api.mySessions()]);
      this.mine = mine;
      this.sessions = sessions.sessions;
      this.failure = null;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.failure = error;
    }
  }

  async loadNotices(): Promise<void> {
    this.notices = await api.notices().then((found) => found.notices, () => this.notices);
  }

  async seen(notice: Notice): Promise<void> {
    await api.seeNotice(notice.id).catch(() => undefined);
    await this.loadNotices();
  }

  /** What this browser's person last read for. */
  get lastPurpose(): string {
    return localStorage.getItem(PURPOSE) ?? "";
  }

  keepPurpose(purpose: string): void {
    localStorage.setItem(PURPOSE, purpose);
  }

  async sayPurpose(purpose: string, situation = ""): Promise<void> {
    await api.changePurpose({ purpose, case: situation });
    this.keepPurpose(purpose);
    this.purposeSaid = true;
  }

  async signOut(): Promise<void> {
    await api.signOut().catch(() => undefined);
    location.assign("/");
  }
}

export const access = new Access();

/** In, as somebody else than before: the page from its beginning, where it was. */
export function entered(): void {
  const place = new URL(location.href);
  place.searchParams.delete("sign_in");
  if (place.href === location.href) location.reload();
  else location.assign(place);
}
