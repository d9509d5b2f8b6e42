// Asks for the slide of the address at once, and only then for the rest of the app, which takes longer to be read.
import '@fontsource-variable/inter/wght.css';
import './styles/base.css';
import './styles/pages.css';
import './styles/viewer.css';
import { readAddress } from './address.ts';
import { holdBack, pictureIsThere } from './viewer/first-picture.ts';
import { openAhead } from './viewer/open-slide.ts';

const { page, query } = readAddress();
const slide = query.get('slide');
if (page === 'view' && slide !== null) {
  openAhead(slide);
  holdBack(document.getElementById('root') as HTMLElement);
} else pictureIsThere();
// Else the page would be drawn twice, without the font and with it.
void document.fonts.load('1em "Inter Variable"');
void import('./start.tsx');
