/** The whole window while there is no page yet. */
export function Splash({ text, isProblem = false }: { text: string; isProblem?: boolean }) {
  return (
    <main className="splash" aria-busy="true">
      <p role={isProblem ? 'alert' : 'status'}>{text}…</p>
    </main>
  );
}
