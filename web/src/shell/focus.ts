// The keyboard's place is never lost: where what held the focus goes away, the heading of the part takes it.

/** What a keyboard can no longer press: taken out of the page, or shut. */
const gone = (element: Element): boolean => !element.isConnected || element.matches(':disabled');

function heading(): HTMLElement | null {
  return document.querySelector<HTMLElement>('main h1') ?? document.getElementById('content');
}

function rescue(held: Element | null): void {
  const now = document.activeElement;
  const elsewhere = now !== null && now !== document.body && !gone(now);
  if (held === null || elsewhere || !gone(held)) return;
  const place = heading();
  if (!place) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

/** Watches until the returned function is called. */
export function keepFocus(): () => void {
  let held: Element | null = null;
  const take = (event: FocusEvent) => { held = event.target as Element; };
  // A press of the mouse beside everything lets go on purpose; what it presses takes the focus anew.
  const release = () => { held = null; };
  const observer = new MutationObserver(() => rescue(held));
  document.addEventListener('focusin', take);
  document.addEventListener('pointerdown', release, true);
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled'] });
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', take);
    document.removeEventListener('pointerdown', release, true);
  };
}
