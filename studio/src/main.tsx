import '@fontsource-variable/inter/wght.css';
import './styles/base.css';
import './styles/pages.css';
import './styles/viewer.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { applyTheme } from './theme.ts';

applyTheme();
createRoot(document.getElementById('root') as HTMLElement).render(<App />);
