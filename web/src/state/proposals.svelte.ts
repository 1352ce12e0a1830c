/**
 * Proposals on the release desk: what there is, and one step with one of them.
 *
 * Always true: after a step everything is read anew, also where it was refused, for things have changed then; what was
 * refused stays said.
 */
import { ApiFailure, type Schemas } from "../api/client";

export type Step = "agree" | "refuse" | "withdraw";
/** A proposal at the revision that was looked at. */
interface Looked { id: string; revision: number }

export class Proposals<T extends Looked> {
  listed = $state.raw<readonly T[] | null>(null);
  marking = $state.raw<Schemas["Marking"] | undefined>();
  failure = $state.raw<ApiFailure | null>(null);
  busy = $state(false);

  constructor(
    private readonly read: () => Promise<{ listed: readonly T[]; marking: Schemas["Marking"] }>,
    private readonly act: (proposal: T, step: Step) => Promise<unknown>,
  ) {}

  async load(): Promise<void> {
    this.failure = await this.failing(async () => {
      const found = await this.read();
      [this.listed, this.marking] = [found.listed, found.marking];
    });
  }

  async step(proposal: T, step: Step): Promise<void> {
    this.busy = true;
    const said = await this.failing(() => this.act(proposal, step));
    await this.load();
    this.failure ??= said;
    this.busy = false;
  }

  private async failing(how: () => Promise<unknown>): Promise<ApiFailure | null> {
    try {
      await how();
      return null;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      return error;
    }
  }
}
