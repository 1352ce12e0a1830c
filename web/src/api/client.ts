/**
 * The API as functions: every request of the page goes through here, typed by the generated description.
 *
 * Always true: an error is an ApiFailure with the server's sentence and hint; a lost connection is one too.
 */
import createClient from "openapi-fetch";
import { hasWords, t, tCode, words } from "../i18n.svelte";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Alert = Schemas["AlertOut"];
export type AlertDetail = Schemas["AlertDetail"];
export type Finding = Schemas["FindingOut"];
export type VesselBrief = Schemas["VesselBrief"];
export type VesselDetail = Schemas["VesselDetail"];
export type VesselHit = Schemas["VesselHit"];
export type Track = Schemas["TrackOut"];
export type Observation = Schemas["ObservationOut"];
export type Status = Schemas["Status"];
export type Session = Schemas["Session"];
export type Settings = Schemas["SettingsOut"];
export type SettingsChange = Schemas["SettingsChange"];
export type DismissReason = Schemas["Dismiss"]["reason"];
export type LogEntry = Schemas["LogEntry"];
export type HandoverSummary = Schemas["HandoverSummary"];
export type Calibration = Schemas["CalibrationOut"];
export type Quarantine = Schemas["QuarantineOut"];
export type Reception = Schemas["ReceptionOut"];
export type MyAccess = Schemas["MyAccess"];
export type SignInWays = Schemas["SignInWays"];
export type SessionLine = Schemas["SessionOut"];
export type Notice = Schemas["NoticeOut"];
export type BreakGlassWays = Schemas["BreakGlassWays"];
export type Account = Schemas["AccountOut"];
export type Role = Schemas["AccountNew"]["roles"][number];
export type Note = Schemas["NoteOut"];

export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    /** The node's own English words, where those above are a translation. */
    readonly said = "",
  ) {
    super(message);
  }
}

/** What happens when the node no longer knows this browser. */
export const door = { onStranger: (): void => {} };

/** `status` 0: the node did not answer at all. */
export const NO_ANSWER = 0;

const client = createClient<paths>({
  baseUrl: location.origin,
  fetch: (request: Request) => {
    request.headers.set("Accept-Language", words.language);
    return fetch(request);
  },
});

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

async function got<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch {
    throw new ApiFailure(NO_ANSWER, "no_answer", t("failure.noAnswer"), t("failure.noAnswerHint"));
  }
  if (answer.data !== undefined && answer.response.ok) return answer.data;
  const failure = (answer.error ?? {}) as { error?: string; message?: string; hint?: string };
  const { status } = answer.response;
  const code = failure.error ?? (status === 401 ? "no_session" : "failed");
  if (code === "no_session") door.onStranger();
  const said = [failure.message, failure.hint].filter(Boolean).join(" ");
  // The node's errors speak English; in another language the code says what happened, and its words follow.
  if (hasWords("error", code) && (words.language !== "en" || !failure.message))
    throw new ApiFailure(status, code, tCode("error", code), tCode("errorHint", code), said);
  throw new ApiFailure(status, code, failure.message ?? t("failure.unknown", { status: String(status) }), failure.hint ?? "");
}

type Query<P extends keyof paths, M extends "get"> = paths[P] extends { [K in M]: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;
/** A proposal at the revision that was looked at. */
type Looked = { id: string; revision: number };
export type AuditQuery = Query<"/api/v1/audit/entries", "get">;
export type RequestQuery = Query<"/api/v1/requests", "get">;
export type TimelineQuery = Query<"/api/v1/timeline", "get">;
export type ChatQuery = Query<"/api/v1/chat", "get">;
type Words = Schemas["SaidOut"]["language"];
export type AlertQuery = Query<"/api/v1/alerts", "get">;

export const api = {
  session: () => got(client.GET("/api/v1/session")),
  sayWho: (officer: string) => got(client.PUT("/api/v1/session", { body: { officer } })),
  signOut: () => got(client.POST("/api/v1/sign-out", { body: {} })),
  ways: () => got(client.GET("/api/v1/sign-in")),
  signInWithPassword: (body: Schemas["PasswordIn"]) => got(client.POST("/api/v1/sign-in/password", { body })),
  signInWithCode: (body: Schemas["CodeIn"]) => got(client.POST("/api/v1/sign-in/code", { body })),
  beginPasskey: () => got(client.POST("/api/v1/sign-in/passkey/options", { body: {} })),
  signInWithPasskey: (body: Schemas["PasskeyIn"]) => got(client.POST("/api/v1/sign-in/passkey", { body })),

  myAccess: () => got(client.GET("/api/v1/me")),
  changePurpose: (body: Schemas["PurposeChange"]) => got(client.PUT("/api/v1/me/purpose", { body })),
  beginAuthenticator: () => got(client.POST("/api/v1/me/authenticator", { body: {} })),
  setPassword: (body: Schemas["PasswordNew"]) => got(client.POST("/api/v1/me/password", { body })),
  beginNewPasskey: () => got(client.POST("/api/v1/me/passkeys/options", { body: {} })),
  addPasskey: (body: Schemas["PasskeyNew"]) => got(client.POST("/api/v1/me/passkeys", { body })),
  mySessions: () => got(client.GET("/api/v1/me/sessions")),
  revoke: (session_id: string) => got(client.POST("/api/v1/me/sessions/{session_id}/revoke", { params: { path: { session_id } }, body: {} })),
  myTokens: () => got(client.GET("/api/v1/me/tokens")),
  makeToken: (body: Schemas["TokenNew"]) => got(client.POST("/api/v1/me/tokens", { body })),
  revokeToken: (token_id: string) => got(client.POST("/api/v1/me/tokens/{token_id}/revoke", { params: { path: { token_id } }, body: {} })),
  notices: () => got(client.GET("/api/v1/me/notices")),
  seeNotice: (notice_id: string) => got(client.POST("/api/v1/me/notices/{notice_id}/seen", { params: { path: { notice_id } }, body: {} })),
  breakGlassWays: () => got(client.GET("/api/v1/break-glass")),
  breakGlass: (body: Schemas["BreakGlass"]) => got(client.POST("/api/v1/break-glass", { body })),
  giveBack: () => got(client.POST("/api/v1/break-glass/end", { body: {} })),

  accounts: () => got(client.GET("/api/v1/accounts")),
  makeAccount: (body: Schemas["AccountNew"]) => got(client.POST("/api/v1/accounts", { body })),
  changeAccount: (account_id: string, body: Schemas["AccountChange"]) => got(client.PUT("/api/v1/accounts/{account_id}", { params: { path: { account_id } }, body })),
  renewCode: (account_id: string) => got(client.POST("/api/v1/accounts/{account_id}/code", { params: { path: { account_id } }, body: {} })),
  signOutAccount: (account_id: string) => got(client.POST("/api/v1/accounts/{account_id}/sign-out", { params: { path: { account_id } }, body: {} })),

  keys: () => got(client.GET("/api/v1/keys")),
  rotateKey: (active: string) => got(client.POST("/api/v1/keys/rotate", { body: { active } })),
  keyLost: (active: string, why: string) => got(client.POST("/api/v1/keys/lost", { body: { active, why } })),

  auditEntries: (query: AuditQuery) => got(client.GET("/api/v1/audit/entries", { params: { query } })),
  auditPeople: (query: AuditQuery) => got(client.GET("/api/v1/audit/people", { params: { query } })),
  browsingAlarms: (who: string) => got(client.GET("/api/v1/audit/alarms", { params: { query: { who } } })),
  auditHead: () => got(client.GET("/api/v1/audit/head")),
  checkAuditLog: () => got(client.GET("/api/v1/audit/check")),

  policy: () => got(client.GET("/api/v1/policy")),
  tryPolicy: (rules: string) => got(client.POST("/api/v1/policy/effect", { body: { rules } })),
  policyChanges: () => got(client.GET("/api/v1/policy/changes")),
  proposePolicy: (rules: string, why: string) => got(client.POST("/api/v1/policy/changes", { body: { rules, why } })),
  policyStep: ({ id, revision }: Looked, step: "agree" | "refuse" | "withdraw" | "show-again") =>
    got(client.POST(`/api/v1/policy/changes/{change_id}/${step}`, { params: { path: { change_id: id } }, body: { expected_revision: revision } })),
  previewTearLine: (body: Schemas["TearLineAsked"]) => got(client.POST("/api/v1/tear-lines/preview", { body })),
  tearLines: () => got(client.GET("/api/v1/tear-lines")),
  proposeTearLine: (body: Schemas["TearLineNew"]) => got(client.POST("/api/v1/tear-lines", { body })),
  tearLineStep: ({ id, revision }: Looked, step: "agree" | "refuse" | "withdraw") =>
    got(client.POST(`/api/v1/tear-lines/{proposal_id}/${step}`, { params: { path: { proposal_id: id } }, body: { expected_revision: revision } })),
  label: (kind: Schemas["LabelOut"]["kind"], record_id: string) => got(client.GET("/api/v1/labels/{kind}/{record_id}", { params: { path: { kind, record_id } } })),
  relabellings: () => got(client.GET("/api/v1/relabellings")),
  relabel: (body: Schemas["RelabelNew"]) => got(client.POST("/api/v1/relabellings", { body })),
  relabellingStep: ({ id, revision }: Looked, step: "agree" | "refuse" | "withdraw") =>
    got(client.POST(`/api/v1/relabellings/{proposal_id}/${step}`, { params: { path: { proposal_id: id } }, body: { expected_revision: revision } })),
  partners: () => got(client.GET("/api/v1/partners")),
  ownIntroduction: () => got(client.GET("/api/v1/partners/own")),
  introducePartner: (body: Schemas["PartnerNew"]) => got(client.POST("/api/v1/partners", { body })),
  confirmPartner: (partner_id: string, body: Schemas["PartnerConfirm"]) => got(client.POST("/api/v1/partners/{partner_id}/confirm", { params: { path: { partner_id } }, body })),
  endPartner: (partner_id: string, body: Schemas["PartnerEnd"]) => got(client.POST("/api/v1/partners/{partner_id}/end", { params: { path: { partner_id } }, body })),
  shared: (partner_id: string, cursor: string) => got(client.GET("/api/v1/partners/{partner_id}/shared", { params: { path: { partner_id }, query: { cursor, limit: 50 } } })),
  partnersOf: (kind: string, record_id: string) => got(client.GET("/api/v1/partners/of/{kind}/{record_id}", { params: { path: { kind, record_id } } })),
  recalls: () => got(client.GET("/api/v1/recalls")),
  recall: (body: Schemas["RecallNew"]) => got(client.POST("/api/v1/recalls", { body })),
  withdrawn: () => got(client.GET("/api/v1/recalls/of-partners")),
  viewAs: (body: Schemas["ViewAs"]) => got(client.POST("/api/v1/view-as", { body })),

  status: () => got(client.GET("/api/v1/status")),
  settings: () => got(client.GET("/api/v1/settings")),
  changeSettings: (body: SettingsChange) => got(client.PUT("/api/v1/settings", { body })),

  alerts: (query: AlertQuery) => got(client.GET("/api/v1/alerts", { params: { query } })),
  alert: (alert_id: string) => got(client.GET("/api/v1/alerts/{alert_id}", { params: { path: { alert_id } } })),
  take: (alert_id: string, body: Schemas["Decide"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/take", { params: { path: { alert_id } }, body })),
  escalate: (alert_id: string, body: Schemas["Decide"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/escalate", { params: { path: { alert_id } }, body })),
  reopen: (alert_id: string, body: Schemas["Decide"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/reopen", { params: { path: { alert_id } }, body })),
  undo: (alert_id: string, body: Schemas["Decide"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/undo", { params: { path: { alert_id } }, body })),
  dismiss: (alert_id: string, body: Schemas["Dismiss"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/dismiss", { params: { path: { alert_id } }, body })),
  merge: (alert_id: string, body: Schemas["Merge"]) =>
    got(client.POST("/api/v1/alerts/{alert_id}/merge", { params: { path: { alert_id } }, body })),
  findingHistory: (finding_id: string) =>
    got(client.GET("/api/v1/findings/{finding_id}/history", { params: { path: { finding_id } } })),

  search: (q: string) => got(client.GET("/api/v1/vessels", { params: { query: { q, limit: 12 } } })),
  names: (mmsi: number[]) => got(client.GET("/api/v1/vessels/names", { params: { query: { mmsi: mmsi.join(",") } } })),
  vessel: (mmsi: number) => got(client.GET("/api/v1/vessels/{mmsi}", { params: { path: { mmsi } } })),
  tracks: (mmsi: number, start_us: number, end_us: number, known_us: number | null, points = 2000) =>
    got(
      client.GET("/api/v1/vessels/{mmsi}/tracks", {
        params: { path: { mmsi }, query: { start_us, end_us, points, ...(known_us === null ? {} : { known_us }) } },
      }),
    ),
  observation: (raw: number) => got(client.GET("/api/v1/observations/{raw}", { params: { path: { raw } } })),
  reception: (bbox: string, end_us: number, start_us: number) =>
    got(client.GET("/api/v1/reception", { params: { query: { bbox, start_us, end_us } } })),

  areas: () => got(client.GET("/api/v1/areas")),
  saveArea: (body: Schemas["AreaNew"]) => got(client.POST("/api/v1/areas", { body })),
  watchlists: () => got(client.GET("/api/v1/watchlists")),
  saveWatchlist: (body: Schemas["WatchlistNew"]) => got(client.POST("/api/v1/watchlists", { body })),
  writeNote: (body: Schemas["NoteNew"]) => got(client.POST("/api/v1/notes", { body })),
  log: (cursor: string) => got(client.GET("/api/v1/watch-log", { params: { query: { limit: 100, cursor } } })),
  writeLog: (text: string) => got(client.POST("/api/v1/watch-log", { body: { text } })),
  handoverSummary: () => got(client.GET("/api/v1/handover/summary")),
  handovers: () => got(client.GET("/api/v1/handover")),
  signHandover: (body: Schemas["HandoverSign"]) => got(client.POST("/api/v1/handover", { body })),
  correspondents: () => got(client.GET("/api/v1/correspondents")),
  fixedMessages: (use: "request" | "answer" | "chat", words: Words) => got(client.GET("/api/v1/fixed-messages", { params: { query: { use, words } } })),
  requests: (query: RequestQuery) => got(client.GET("/api/v1/requests", { params: { query } })),
  askPartners: (body: Schemas["RequestNew"]) => got(client.POST("/api/v1/requests", { body })),
  answerRequest: (request_id: string, body: Schemas["AnswerNew"]) => got(client.POST("/api/v1/requests/{request_id}/answers", { params: { path: { request_id } }, body })),
  endRequest: (request_id: string, body: Schemas["RequestEnd"]) => got(client.POST("/api/v1/requests/{request_id}/end", { params: { path: { request_id } }, body })),
  answerTimes: () => got(client.GET("/api/v1/answer-times")),
  cases: () => got(client.GET("/api/v1/cases")),
  timeline: (query: TimelineQuery) => got(client.GET("/api/v1/timeline", { params: { query } })),
  chat: (query: ChatQuery) => got(client.GET("/api/v1/chat", { params: { query } })),
  say: (body: Schemas["MessageNew"]) => got(client.POST("/api/v1/chat", { body })),
  acknowledgements: (alert_id: string) => got(client.GET("/api/v1/alerts/{alert_id}/acknowledgements", { params: { path: { alert_id } } })),
  acknowledge: (alert_id: string, body: Schemas["Acknowledge"]) => got(client.POST("/api/v1/alerts/{alert_id}/acknowledge", { params: { path: { alert_id } }, body })),
  partnerOrders: () => got(client.GET("/api/v1/adoptions")),
  adopt: (body: Schemas["AdoptionNew"]) => got(client.POST("/api/v1/adoptions", { body })),
  endAdoption: (adoption_id: string, expected_revision: number) => got(client.POST("/api/v1/adoptions/{adoption_id}/end", { params: { path: { adoption_id } }, body: { expected_revision } })),

  calibration: () => got(client.GET("/api/v1/calibration")),
  quarantine: () => got(client.GET("/api/v1/quarantine")),
};

export type Area = Awaited<ReturnType<typeof api.areas>>["areas"][number];
export type Watchlist = Awaited<ReturnType<typeof api.watchlists>>["watchlists"][number];
