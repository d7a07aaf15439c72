/**
 * Text for a terminal: control characters (escape sequences among them) and marks that turn the direction of writing become "�";
 * line feeds and tabs stay. Titles and messages may come from a project, a file or a process that somebody else made.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (mark) => (mark === '\n' || mark === '\t' ? mark : '\u{FFFD}'))
}
