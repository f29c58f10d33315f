# LevelDB 1.20 and Snappy, as the package leveldown ships their sources: 75 translation units in
# C++ and C, a library and its own C test. A plain makefile that knows nothing of tscc.
L := leveldb/leveldb-1.20
S := snappy/snappy

CPPFLAGS := -I$L -I$L/include -Isnappy/linux -I$S -DLEVELDB_PLATFORM_POSIX=1 -DOS_LINUX=1 \
            -DSNAPPY=1 -DHAVE_CONFIG_H=1
OPTIMIZE ?= -O2
CFLAGS   := $(OPTIMIZE) -pthread -MMD
CXXFLAGS := $(CFLAGS)

SOURCES := $(wildcard $(foreach d,db table util helpers/memenv issues port,$L/$d/*.cc $L/$d/*.c))
SOURCES := $(filter-out %env_win.cc,$(SOURCES))
SOURCES += $(addprefix $S/snappy,.cc -sinksource.cc -stubs-internal.cc -c.cc)
OBJECTS := $(addsuffix .o,$(basename $(SOURCES)))

# The library: all but the programs, which are compiled and not linked.
LIBRARY := $(filter-out %_test.o %_bench.o %leveldbutil.o,$(OBJECTS))

all: c_test objects

objects: $(OBJECTS)

libleveldb.a: $(LIBRARY)
	$(AR) rcs $@ $^

c_test: $L/db/c_test.o libleveldb.a
	$(CXX) -pthread -o $@ $^

clean:
	rm -f $(OBJECTS) $(OBJECTS:.o=.d) libleveldb.a c_test

-include $(OBJECTS:.o=.d)

.PHONY: all objects clean
