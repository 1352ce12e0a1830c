/**
 * What a panel asks of the node: whether it is under way, and what was refused.
 *
 * Always true: what was refused stays said until something succeeds; of attempts within another one the inner refusal
 * stays. What is no answer of the node is not caught.
 */
import { ApiFailure } from "../api/client";

export class Attempt {
  failure = $state.raw<ApiFailure | null>(null);
  busy = $state(false);

  readonly act = async (how: () => Promise<unknown>): Promise<void> => {
    const [before, within] = [this.failure, this.busy];
    this.busy = true;
    try {
      await how();
      if (this.failure === before) this.failure = null;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.failure = error;
    }
    this.busy = within;
  };
}
