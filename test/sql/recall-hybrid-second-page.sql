begin read only;
set local role funes_admin;
set local hnsw.ef_search = 400;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 8000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.score,
  hit.parts,
  hit.round::float8,
  hit.basis,
  hit.kind,
  hit.row_id::text,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
  "tool_embeddings"."id",
  "tool_embeddings"."tool_name",
  "tool_embeddings"."tool_description",
  "tool_embeddings"."tool_parameters",
  "tool_embeddings"."embedding_model",
  "tool_embeddings"."embedding_source",
  "tool_embeddings"."embedding_error",
  "tool_embeddings"."usage_count",
  "tool_embeddings"."last_used",
  "tool_embeddings"."created_at",
  "tool_embeddings"."updated_at",
  case
    when "tool_embeddings"."embedding_error" is not null then 'FAILED'
    when "tool_embeddings"."embedding" is null then 'PENDING'
    when (
      "tool_embeddings"."embedding_source" = 'FUNES'
      and "tool_embeddings"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    with
      words_1 as materialized (
        with
          words as materialized (
            select
              ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query,
              lexeme
            from
              (
                select
                  lexeme
                from
                  unnest(tsvector_to_array(to_tsvector('english', query.text))) lexeme
                order by
                  length(lexeme) desc,
                  lexeme
                limit
                  64
              ) word
          ),
          found as materialized (
            select
              query,
              lexeme,
              documents
            from
              (
                select
                  *,
                  row_number() over (
                    order by
                      length(lexeme) desc,
                      lexeme
                  ) as n
                from
                  words
              ) word
              join unnest($3::float8[]) with ordinality as counted (documents, n) using (n)
            where
              documents > 0
          ),
          corpus as materialized (
            select
              $4::float8 as documents,
              $5::float8 as length
          )
        select
          lexeme,
          found.query,
          found.documents,
          corpus.documents as rows,
          corpus.length
        from
          corpus
          left join (
            words
            left join found using (lexeme)
          ) on true
      ),
      words_2 as materialized (
        with
          words as materialized (
            select
              ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query,
              lexeme
            from
              (
                select
                  lexeme
                from
                  unnest(tsvector_to_array(to_tsvector('english', query.text))) lexeme
                order by
                  length(lexeme) desc,
                  lexeme
                limit
                  64
              ) word
          ),
          found as materialized (
            select
              query,
              lexeme,
              documents
            from
              (
                select
                  *,
                  row_number() over (
                    order by
                      length(lexeme) desc,
                      lexeme
                  ) as n
                from
                  words
              ) word
              join unnest($6::float8[]) with ordinality as counted (documents, n) using (n)
            where
              documents > 0
          ),
          corpus as materialized (
            select
              $7::float8 as documents,
              $8::float8 as length
          )
        select
          lexeme,
          found.query,
          found.documents,
          corpus.documents as rows,
          corpus.length
        from
          corpus
          left join (
            words
            left join found using (lexeme)
          ) on true
      ),
      rarities as materialized (
        select
          lexeme,
          sum(documents) as documents,
          sum(rows) as rows
        from
          (
            select
              lexeme,
              documents,
              null::float8 as rows
            from
              words_1
            where
              documents is not null
            union all
            select
              null,
              null,
              max(rows)
            from
              words_1
            union all
            select
              lexeme,
              documents,
              null::float8 as rows
            from
              words_2
            where
              documents is not null
            union all
            select
              null,
              null,
              max(rows)
            from
              words_2
          ) every
        group by
          lexeme
      ),
      memory_rows as materialized (
        with
          found as materialized (
            select
              query,
              lexeme,
              documents
            from
              words_1
            where
              documents is not null
          ),
          corpus as materialized (
            select
              rows as documents,
              length
            from
              words_1
            limit
              1
          ),
          terms as materialized (
            select
              found.query,
              ln(1 + (total.documents - rarity.documents + 0.5) / (rarity.documents + 0.5)) as idf,
              sum(found.documents) over rarest <= 1000
              or row_number() over rarest = 1 as chosen
            from
              found
              join rarities rarity using (lexeme),
              (
                select
                  rows as documents
                from
                  rarities
                where
                  lexeme is null
              ) total
            window
              rarest as (
                order by
                  found.documents,
                  lexeme rows unbounded preceding
              )
          ),
          near as materialized (
            select
              *,
              row_number() over (
                order by
                  distance,
                  id
              ) as rank
            from
              (
                with
                  near as materialized (
                    select
                      "memories"."id",
                      "memories"."user_id",
                      "memories"."embedding" <=> query.vector as distance
                    from
                      "memories"
                    where
                      (
                        (
                          case
                            when "memories"."embedding_model" = $9 then 1
                          end
                        ) is not null
                        and "memories"."id" + 0 <= $10::bigint
                      )
                    order by
                      distance,
                      "memories"."id"
                    limit
                      $11
                  ),
                  completed as materialized (
                    select
                      *
                    from
                      (
                        select
                          "memories"."id",
                          "memories"."user_id",
                          "memories"."embedding" <=> query.vector as distance
                        from
                          "memories"
                        where
                          (
                            (
                              case
                                when "memories"."embedding_model" = $12 then 1
                              end
                            ) is not null
                            and (
                              not (
                                select
                                  count(*)
                                from
                                  near
                              ) >= $13
                              and "memories"."id" + 0 <= $14::bigint
                            )
                          )
                      ) candidate
                    order by
                      distance + 0,
                      id
                    limit
                      $15
                  ) (
                    select
                      *
                    from
                      near
                    where
                      (
                        select
                          count(*)
                        from
                          near
                      ) >= $16
                    order by
                      distance,
                      id
                    limit
                      $17
                  )
                union all
                select
                  *
                from
                  completed
              ) near
          ),
          rare as materialized (
            select
              "memories"."id",
              "memories"."user_id",
              "memories"."content_tsv" || ''::tsvector as tsv,
              "memories"."content_length" as length
            from
              "memories"
            where
              (
                "memories"."content_tsv" @@ (
                  select
                    string_agg(query::text, ' | ')::tsquery
                  from
                    terms
                  where
                    chosen
                )
                and "memories"."id" + 0 <= $18::bigint
              )
            limit
              1000
            offset
              0
          ),
          common as materialized (
            select
              "memories"."id",
              "memories"."user_id",
              "memories"."content_tsv" || ''::tsvector as tsv,
              "memories"."content_length" as length
            from
              "memories"
            where
              (
                (
                  select
                    count(*)
                  from
                    rare
                ) < $19
                and (
                  "memories"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      not chosen
                  )
                  and not "memories"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      chosen
                  )
                )
                and "memories"."id" + 0 <= $20::bigint
              )
            limit
              1000
            offset
              0
          ),
          scored_words as materialized (
            select
              "id",
              "user_id",
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * matching.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', matching.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      matching.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              (
                select
                  *
                from
                  rare
                union all
                select
                  *
                from
                  common
              ) matching
          ),
          worded as materialized (
            select
              *,
              row_number() over (
                order by
                  bm25 desc,
                  id
              ) as rank
            from
              scored_words
            where
              bm25 > 0
            order by
              bm25 desc,
              id
            limit
              $21
          ),
          candidates as materialized (
            select
              "id",
              "user_id",
              min(round) as round
            from
              (
                select
                  "id",
                  "user_id",
                  ((rank - 1) / 200) as round
                from
                  near
                union all
                select
                  "id",
                  "user_id",
                  ((rank - 1) / 200) as round
                from
                  worded
              ) found
            group by
              "id",
              "user_id"
          ),
          beside as materialized (
            select
              turn.id,
              candidates.round,
              side.other,
              side.other_user as user_id,
              case side.step
                when 1 then 1.0
                else 0.5
              end as share
            from
              candidates
              cross join lateral (
                select
                  "memories"."id" as id,
                  "memories"."user_id" as user_id,
                  "memories"."session_id" as session_id
                from
                  "memories"
                where
                  (
                    "memories"."id" = candidates."id"
                    and "memories"."user_id" = candidates."user_id"
                  )
                limit
                  1
              ) turn
              cross join lateral (
                (
                  select
                    "memories"."id" as other,
                    "memories"."user_id" as other_user,
                    row_number() over (
                      order by
                        "memories"."id" desc
                    ) as step
                  from
                    "memories"
                  where
                    (
                      (
                        "memories"."user_id" = turn.user_id
                        and "memories"."session_id" = turn.session_id
                        and "memories"."id" + 0 <= $22::bigint
                      )
                      and "memories"."id" < turn.id
                    )
                  order by
                    "memories"."id" desc
                  limit
                    2
                )
                union all
                (
                  select
                    "memories"."id" as other,
                    "memories"."user_id" as other_user,
                    row_number() over (
                      order by
                        "memories"."id" asc
                    ) as step
                  from
                    "memories"
                  where
                    (
                      (
                        "memories"."user_id" = turn.user_id
                        and "memories"."session_id" = turn.session_id
                        and "memories"."id" + 0 <= $23::bigint
                      )
                      and "memories"."id" > turn.id
                    )
                  order by
                    "memories"."id" asc
                  limit
                    2
                )
              ) side
          ),
          turns as materialized (
            select
              other as id,
              user_id,
              round
            from
              beside
          ),
          shares as materialized (
            select
              id,
              other,
              share,
              min(round) as round
            from
              (
                select
                  id,
                  other,
                  share,
                  round
                from
                  beside
                union all
                select
                  other,
                  id,
                  share,
                  round
                from
                  beside
              ) share
            group by
              id,
              other,
              share
          ),
          pool as materialized (
            select
              "id",
              "user_id",
              bool_or(candidate) as candidate,
              min(round) as round
            from
              (
                select
                  "id",
                  "user_id",
                  true as candidate,
                  round
                from
                  candidates
                union all
                select
                  "id",
                  "user_id",
                  false,
                  round
                from
                  turns
              ) seen
            group by
              "id",
              "user_id"
          ),
          features as materialized (
            select
              pool.*,
              row.*,
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * row.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', row.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      row.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              pool
              cross join lateral (
                select
                  (
                    case
                      when "memories"."embedding_model" = $24 then "memories"."embedding"
                    end
                  ) <=> query.vector as distance,
                  "memories"."content_tsv" || ''::tsvector as tsv,
                  "memories"."content_length" as length
                from
                  "memories"
                where
                  (
                    "memories"."id" = pool."id"
                    and "memories"."user_id" = pool."user_id"
                  )
                limit
                  1
              ) row
          )
        select
          'MEMORY' as kind,
          id as row_id,
          user_id,
          null::bigint as chunk_id,
          candidate,
          features.round,
          distance,
          bm25,
          id as memory_id,
          lenders,
          portions,
          loan_rounds
        from
          features
          left join (
            select
              id,
              array_agg(
                other
                order by
                  other
              ) as lenders,
              array_agg(
                share::float8
                order by
                  other
              ) as portions,
              array_agg(
                round
                order by
                  other
              ) as loan_rounds
            from
              shares
            group by
              id
          ) loan using (id)
      ),
      tool_rows as materialized (
        with
          found as materialized (
            select
              query,
              lexeme,
              documents
            from
              words_2
            where
              documents is not null
          ),
          corpus as materialized (
            select
              rows as documents,
              length
            from
              words_2
            limit
              1
          ),
          terms as materialized (
            select
              found.query,
              ln(1 + (total.documents - rarity.documents + 0.5) / (rarity.documents + 0.5)) as idf,
              sum(found.documents) over rarest <= 1000
              or row_number() over rarest = 1 as chosen
            from
              found
              join rarities rarity using (lexeme),
              (
                select
                  rows as documents
                from
                  rarities
                where
                  lexeme is null
              ) total
            window
              rarest as (
                order by
                  found.documents,
                  lexeme rows unbounded preceding
              )
          ),
          near as materialized (
            select
              *,
              row_number() over (
                order by
                  distance,
                  id
              ) as rank
            from
              (
                with
                  near as materialized (
                    select
                      "tool_embeddings"."id",
                      "tool_embeddings"."embedding" <=> query.vector as distance
                    from
                      "tool_embeddings"
                    where
                      (
                        (
                          case
                            when "tool_embeddings"."embedding_model" = $25 then 1
                          end
                        ) is not null
                        and "tool_embeddings"."id" + 0 <= $26::bigint
                      )
                    order by
                      distance,
                      "tool_embeddings"."id"
                    limit
                      $27
                  ),
                  completed as materialized (
                    select
                      *
                    from
                      (
                        select
                          "tool_embeddings"."id",
                          "tool_embeddings"."embedding" <=> query.vector as distance
                        from
                          "tool_embeddings"
                        where
                          (
                            (
                              case
                                when "tool_embeddings"."embedding_model" = $28 then 1
                              end
                            ) is not null
                            and (
                              not (
                                select
                                  count(*)
                                from
                                  near
                              ) >= $29
                              and "tool_embeddings"."id" + 0 <= $30::bigint
                            )
                          )
                      ) candidate
                    order by
                      distance + 0,
                      id
                    limit
                      $31
                  ) (
                    select
                      *
                    from
                      near
                    where
                      (
                        select
                          count(*)
                        from
                          near
                      ) >= $32
                    order by
                      distance,
                      id
                    limit
                      $33
                  )
                union all
                select
                  *
                from
                  completed
              ) near
          ),
          rare as materialized (
            select
              "tool_embeddings"."id",
              "tool_embeddings"."content_tsv" || ''::tsvector as tsv,
              "tool_embeddings"."content_length" as length
            from
              "tool_embeddings"
            where
              (
                "tool_embeddings"."content_tsv" @@ (
                  select
                    string_agg(query::text, ' | ')::tsquery
                  from
                    terms
                  where
                    chosen
                )
                and "tool_embeddings"."id" + 0 <= $34::bigint
              )
            limit
              1000
            offset
              0
          ),
          common as materialized (
            select
              "tool_embeddings"."id",
              "tool_embeddings"."content_tsv" || ''::tsvector as tsv,
              "tool_embeddings"."content_length" as length
            from
              "tool_embeddings"
            where
              (
                (
                  select
                    count(*)
                  from
                    rare
                ) < $35
                and (
                  "tool_embeddings"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      not chosen
                  )
                  and not "tool_embeddings"."content_tsv" @@ (
                    select
                      string_agg(query::text, ' | ')::tsquery
                    from
                      terms
                    where
                      chosen
                  )
                )
                and "tool_embeddings"."id" + 0 <= $36::bigint
              )
            limit
              1000
            offset
              0
          ),
          scored_words as materialized (
            select
              "id",
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * matching.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', matching.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      matching.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              (
                select
                  *
                from
                  rare
                union all
                select
                  *
                from
                  common
              ) matching
          ),
          worded as materialized (
            select
              *,
              row_number() over (
                order by
                  bm25 desc,
                  id
              ) as rank
            from
              scored_words
            where
              bm25 > 0
            order by
              bm25 desc,
              id
            limit
              $37
          ),
          candidates as materialized (
            select
              "id",
              min(round) as round
            from
              (
                select
                  "id",
                  ((rank - 1) / 200) as round
                from
                  near
                union all
                select
                  "id",
                  ((rank - 1) / 200) as round
                from
                  worded
              ) found
            group by
              "id"
          ),
          pool as materialized (
            select
              "id",
              true as candidate,
              round
            from
              candidates
          ),
          features as materialized (
            select
              pool.*,
              row.*,
              (
                select
                  coalesce(
                    sum(
                      idf * tf * (1.2::float8 + 1) / (tf + 1.2::float8 * (1 - 0.75::float8 + 0.75::float8 * row.length / corpus.length))
                    ),
                    0
                  )
                from
                  corpus,
                  (
                    select
                      idf,
                      width_bucket(
                        ts_rank('{1,1,1,1}', row.tsv, query)::float8,
                        array[
                          0.6079171,
                          0.7598989,
                          0.8274463,
                          0.8654418,
                          0.8897589,
                          0.9066457,
                          0.9190524,
                          0.9285513,
                          0.9360565,
                          0.9421358,
                          0.9471600,
                          0.9513817,
                          0.9549789,
                          0.9580806,
                          0.9607825,
                          0.9631572,
                          0.9652608,
                          0.9671371,
                          0.9688211,
                          0.9703409,
                          0.9717194,
                          0.9729755,
                          0.9741247,
                          0.9751801,
                          0.9761528,
                          0.9770521,
                          0.9778860,
                          0.9786614,
                          0.9793843,
                          0.9800597,
                          0.9806923,
                          0.9812860
                        ]::float8[]
                      ) as tf
                    from
                      terms
                    where
                      row.tsv @@ query
                  ) term
              )::float8 as bm25
            from
              pool
              cross join lateral (
                select
                  (
                    case
                      when "tool_embeddings"."embedding_model" = $38 then "tool_embeddings"."embedding"
                    end
                  ) <=> query.vector as distance,
                  "tool_embeddings"."content_tsv" || ''::tsvector as tsv,
                  "tool_embeddings"."content_length" as length
                from
                  "tool_embeddings"
                where
                  "tool_embeddings"."id" = pool."id"
                limit
                  1
              ) row
          )
        select
          'TOOL' as kind,
          id as row_id,
          null::varchar as user_id,
          null::bigint as chunk_id,
          candidate,
          features.round,
          distance,
          bm25,
          null::bigint as memory_id,
          null::bigint[] as lenders,
          null::float8[] as portions,
          null::bigint[] as loan_rounds
        from
          features
      ),
      features as materialized (
        select
          row_number() over (
            order by
              kind,
              row_id,
              chunk_id
          ) as id,
          every_kind.*
        from
          (
            select
              *
            from
              memory_rows
            union all
            select
              *
            from
              tool_rows
          ) every_kind
      ),
      shares as materialized (
        select
          memory_id as id,
          other,
          share,
          loan.round
        from
          features
          cross join lateral unnest(lenders, portions, loan_rounds) as loan (other, share, round)
      ),
      moments as materialized (
        select
          $39::float8 as mean,
          $40::float8 as spread,
          $41::float8 as word_mean,
          $42::float8 as word_spread
      ),
      based as materialized (
        select
          features.*,
          (
            coalesce((mean - distance) / nullif(spread, 0), 0) + $43::float8 * coalesce((bm25 - word_mean) / nullif(word_spread, 0), 0)
          )::float8 as base
        from
          features
          cross join moments
      ),
      loans as materialized (
        select
          shares.id,
          $44::float8 * sum(
            shares.share * lender.base
            order by
              shares.other
          ) as lent
        from
          shares
          join based lender on lender.memory_id = shares.other
          join based borrower on borrower.memory_id = shares.id
        where
          shares.round <= borrower.round
        group by
          shares.id
      ),
      relevant as materialized (
        select
          based.*,
          coalesce(loans.lent, 0) as lent
        from
          based
          left join loans on loans.id = based.memory_id
      ),
      scored as materialized (
        select
          *,
          (base + coalesce(lent, 0)) as score
        from
          relevant
        where
          true
      )
    select
      id,
      kind,
      row_id,
      user_id,
      chunk_id,
      round,
      coalesce(distance, 2) as distance,
      score,
      jsonb_build_object('keyword', bm25, 'context', lent, 'recency', null, 'importance', null) as parts,
      case
        when row_number() over (
          order by
            round,
            score desc,
            id
        ) = 1 then $45::jsonb
      end as basis
    from
      scored best
    where
      (round, - score, row_id) > (
        $46::bigint,
        $47::float8,
        case kind
          when 'MEMORY' then $48::bigint
          when 'TOOL' then $49::bigint
        end
      )
    order by
      round,
      score desc,
      id
    limit
      $50
  ) as hit
  left join "memories" on (
    hit.kind in ($51)
    and "memories"."id" = hit.row_id
    and "memories"."user_id" = hit.user_id
  )
  left join "document_chunks" on (
    false
    and "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  left join "documents" on (
    false
    and "documents"."id" = hit.row_id
    and "documents"."user_id" = hit.user_id
  )
  left join "tool_embeddings" on (
    hit.kind in ($52)
    and "tool_embeddings"."id" = hit.row_id
  )
where
  1 / (
    select
      (coalesce(embedding_model, $53) = $54)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.round,
  hit.score desc,
  hit.kind,
  hit.row_id;
