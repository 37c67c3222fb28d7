// Sorting on several threads: sample sort. Splitters from a sample of the keys make parts of about equal length, keys move
// to their parts by chunks, and each part is sorted as on one thread. Stable: a key's part depends on nothing but the
// key, and chunks fill a part in their order.
//
// One more move of each key; in return every part is sorted within a second-level cache, which pays on one thread too once
// there are more keys than that. Values are read twice, for their part and to be moved; what another thread writes between
// spoils the result, but places follow from the parts noted at first.
//
// Rejected: sorting halves and merging them, which ends on as many moves over all of the memory and branches on data; and
// parts by the topmost digits, which real numbers do not spread over.
#include <new>

#include "order.h"
#include "phased_job.h"
#include "sort_keys.h"

namespace sysopt::kernels {
namespace {

constexpr std::size_t kMaxParts = 64;
constexpr std::size_t kSamplesPerPart = 32;
// A part and as much to work in are 1 MiB, as second-level caches have it today.
constexpr std::size_t kPartBytes = std::size_t{1} << 19;

constexpr std::size_t ChunksOf(std::size_t count) { return (count + kChunkValues - 1) / kChunkValues; }

// A power of two, some for each thread: parts differ in length.
std::size_t PartsFor(std::size_t bytes, unsigned threads) {
  std::size_t parts = 2;
  while ((parts * kPartBytes < bytes || (threads > 1 && parts < 4 * threads)) && parts < kMaxParts) parts *= 2;
  return parts;
}

// Item is a key, or with an index.
template <typename T, typename Item>
class SortJob final : public PhasedJob<3> {
 public:
  using Key = KeyOf<T>;

  // Sorts into `values`, or the indices into `indices`.
  SortJob(T* values, std::size_t count, std::uint32_t* indices, std::size_t parts)
      : PhasedJob({ChunksOf(count), ChunksOf(count), parts}),
        values_(values),
        count_(count),
        indices_(indices),
        parts_(parts),
        items_(new (std::nothrow) Item[count]),
        part_of_(new (std::nothrow) std::uint8_t[count]),
        places_(ChunksOf(count)) {
    if (HasMemory()) Sample();
  }

  bool HasMemory() const { return items_ && part_of_; }

 private:
  using Places = std::array<std::uint32_t, kMaxParts>;

  void Sample() {
    const std::size_t wanted = kSamplesPerPart * parts_;
    std::array<Key, kSamplesPerPart * kMaxParts> sample;
    // Golden-ratio steps: no period of the data can hide from them, and every call samples the same.
    std::uint64_t at = 0;
    for (std::size_t k = 0; k < wanted; ++k) {
      at += 0x9e3779b97f4a7c15u;
      const auto high = static_cast<std::uint32_t>(at >> 32);
      sample[k] = ToKey(values_[(std::uint64_t{high} * count_) >> 32]);
    }
    std::sort(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(wanted));
    for (std::size_t part = 1; part < parts_; ++part) splitters_[part - 1] = sample[part * kSamplesPerPart];
  }

  // How many splitters are not above the key, by halving without branches.
  std::size_t PartOf(Key key) const {
    std::size_t part = 0;
    for (std::size_t half = parts_ / 2; half > 0; half /= 2) part += splitters_[part + half - 1] <= key ? half : 0;
    return part;
  }

  void RunPhase(std::size_t phase, std::size_t chunk) noexcept override {
    const std::size_t start = chunk * kChunkValues;
    const std::size_t end = std::min(start + kChunkValues, count_);
    switch (phase) {
      case 0:
        return Split(chunk, start, end);
      case 1:
        return Distribute(places_[chunk], start, end);
      default:
        return SortPart(chunk);
    }
  }

  void Split(std::size_t chunk, std::size_t start, std::size_t end) {
    Places counts = {};
    for (std::size_t i = start; i < end; ++i) {
      const std::size_t part = PartOf(ToKey(values_[i]));
      part_of_[i] = static_cast<std::uint8_t>(part);
      ++counts[part];
    }
    places_[chunk] = counts;
  }

  void EndPhase(std::size_t phase) noexcept override {
    if (phase != 0) return;
    std::uint32_t place = 0;
    for (std::size_t part = 0; part < parts_; ++part) {
      starts_[part] = place;
      for (Places& places : places_) {
        const std::uint32_t length = places[part];
        places[part] = place;
        place += length;
      }
    }
    starts_[parts_] = place;
  }

  void Distribute(Places places, std::size_t start, std::size_t end) {
    for (std::size_t i = start; i < end; ++i) {
      const Key key = ToKey(values_[i]);
      Item& item = items_[places[part_of_[i]]++];
      if constexpr (std::is_same_v<Item, Key>) {
        item = key;
      } else {
        item = {key, static_cast<std::uint32_t>(i)};
      }
    }
  }

  void SortPart(std::size_t part) {
    const std::size_t start = starts_[part];
    const std::size_t length = starts_[part + 1] - start;
    Item* const items = items_.get() + start;
    const Item* sorted = items;
    const std::unique_ptr<Item[]> room(new (std::nothrow) Item[length]);
    if (room) {
      sorted = SortItems<Key>(items, room.get(), length);
    } else if constexpr (std::is_same_v<Item, Key>) {
      std::sort(items, items + length);
    } else {
      std::sort(items, items + length, [](const Item& left, const Item& right) {
        return left.key != right.key ? left.key < right.key : left.index < right.index;
      });
    }
    for (std::size_t i = 0; i < length; ++i) {
      if constexpr (std::is_same_v<Item, Key>) {
        values_[start + i] = FromKey<T>(sorted[i]);
      } else {
        indices_[start + i] = sorted[i].index;
      }
    }
  }

  T* const values_;
  const std::size_t count_;
  std::uint32_t* const indices_;
  const std::size_t parts_;
  const std::unique_ptr<Item[]> items_;  // by parts
  const std::unique_ptr<std::uint8_t[]> part_of_;  // of each value
  std::array<Key, kMaxParts> splitters_;
  std::array<std::uint32_t, kMaxParts + 1> starts_;
  std::vector<Places> places_;  // of each chunk: counts of the parts, then where its next key goes
};

// Of one chunk, of bytes and short integers, which take one or two passes as they are: the sort of one thread, as a job.
class WholeSortJob final : public BulkJob {
 public:
  WholeSortJob(Element element, void* values, std::size_t count, std::uint32_t* indices)
      : BulkJob(count > 0 ? 1 : 0),
        element_(element),
        values_(values),
        count_(count),
        indices_(indices),
        scratch_(new (std::nothrow) std::uint64_t[(Bytes() + 7) / 8]) {}

  bool HasMemory() const { return scratch_ != nullptr; }

  void Run(std::size_t) noexcept override {
    if (indices_) {
      Argsort(element_, values_, count_, indices_, scratch_.get());
    } else {
      Sort(element_, values_, count_, scratch_.get());
    }
  }
  std::vector<double> Result() const override { return {}; }

 private:
  std::size_t Bytes() const { return indices_ ? ArgsortScratch(element_, count_) : SortScratch(element_, count_); }

  const Element element_;
  void* const values_;
  const std::size_t count_;
  std::uint32_t* const indices_;
  const std::unique_ptr<std::uint64_t[]> scratch_;
};

template <typename Job>
std::shared_ptr<BulkJob> WithMemory(std::shared_ptr<Job> job) {
  return job->HasMemory() ? job : nullptr;
}

}  // namespace

std::shared_ptr<BulkJob> MakeSortJob(Element element, void* values, std::size_t count, std::uint32_t* indices,
                                     unsigned threads) {
  if (ChunksOf(count) < 2 || ElementBytes(element) < 4) {
    return WithMemory(std::make_shared<WholeSortJob>(element, values, count, indices));
  }
  return ForElement(element, [=](auto zero) -> std::shared_ptr<BulkJob> {
    using T = decltype(zero);
    auto* const of = static_cast<T*>(values);
    const std::size_t bytes = count * (indices ? sizeof(Indexed<KeyOf<T>>) : sizeof(T));
    const std::size_t parts = PartsFor(bytes, threads);
    if constexpr (sizeof(T) < 4) {
      return nullptr;  // dealt with above
    } else if (indices) {
      return WithMemory(std::make_shared<SortJob<T, Indexed<KeyOf<T>>>>(of, count, indices, parts));
    } else {
      return WithMemory(std::make_shared<SortJob<T, KeyOf<T>>>(of, count, nullptr, parts));
    }
  });
}

}  // namespace sysopt::kernels
