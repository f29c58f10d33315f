process.env['TSCC_TEST_MODE'] = 'pump';
await import('../odd-names.test.js');
