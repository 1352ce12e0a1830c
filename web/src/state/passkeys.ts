/**
 * Passkeys: the browser's WebAuthn functions, fed with what the node asks (JSON forms of WebAuthn Level 3).
 *
 * Always true: nothing is read from the device but what the node's challenge asks for.
 */
import { ApiFailure } from "../api/client";
import { t } from "../i18n.svelte";

type Options = Record<string, unknown>;
interface Level3 {
  parseCreationOptionsFromJSON(options: Options): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: Options): PublicKeyCredentialRequestOptions;
}

/** Whether this browser can. */
export const able = (): boolean => typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

const level3 = (): Level3 => PublicKeyCredential as unknown as Level3;

async function told(asked: Promise<Credential | null>): Promise<Record<string, unknown>> {
  try {
    const credential = await asked;
    if (credential) return (credential as unknown as { toJSON(): Record<string, unknown> }).toJSON();
  } catch {
    // The person closed the browser's question, or the device has no key for us: said the same way.
  }
  throw new ApiFailure(401, "no_passkey", t("signIn.noPasskey"), "");
}

export const make = (options: Options): Promise<Record<string, unknown>> =>
  told(navigator.credentials.create({ publicKey: level3().parseCreationOptionsFromJSON(options) }));

export const answer = (options: Options): Promise<Record<string, unknown>> =>
  told(navigator.credentials.get({ publicKey: level3().parseRequestOptionsFromJSON(options) }));
