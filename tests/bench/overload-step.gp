# gnuplot -c overload-step.gp DATA CAPACITY CALM FROM SECONDS: goodput in windows of 100 ms, as SVG on standard output. DATA: a block for each
# server, which is its name in quotes and then lines: seconds, goodput a second. The load is CALM a second but for SECONDS at FROM.
data = ARG1
capacity = real(ARG2)
calm = real(ARG3)
from = real(ARG4)
to = from + real(ARG5)
array colour[4] = ['#0072B2', '#CC79A7', '#D55E00', '#E69F00']
set terminal svg size 900,420 font 'sans-serif,14' noenhanced background '#ffffff'
set xtics nomirror
set ytics nomirror
set grid ytics lc '#e0e0e0'
set border 3 lc '#606060'
set lmargin 11
set rmargin 3
set samples 1000
set key outside top center horizontal samplen 2 font ',12'
set ylabel 'done in time, a second'
set xlabel 'seconds'
set yrange [0:capacity * 1.3]
plot (x >= from && x < to ? capacity : calm) title 'bound' lc '#000000' dt 2 lw 1.5, \
	for [i = 0:3] data index i using 1:2 with lines title columnheader(1) lc rgb colour[i + 1] lw i == 0 ? 2.5 : 1.5
