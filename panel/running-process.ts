/** What a command has started, to be stopped by a signal. */
export interface RunningProcess {
  /** Where it listens on this machine. */
  url: string;
  /** Where METRICS_PORT is. */
  metricsUrl?: string | undefined;
  /**
   * Ends everything in order, within `stopWithinMs`. Safe to call twice. `isFailing` leaves out the grace in which
   * clients are sent elsewhere.
   */
  stop(how?: { isFailing?: boolean }): Promise<void>;
  /** How long `stop` may take before the process is ended by force. */
  stopWithinMs: number;
  /** Resolves when this process is asked to end, so that who supervises it starts it anew: with `restartExitCode`. */
  restart?: Promise<void>;
  /** Resolves, with words for the operator, when this process can not go on. */
  failed?: Promise<Error>;
}
